"""What the recurrences of Moby run as: Triton kernels on a GPU, plain torch elsewhere.

python kernels.py     each kind: its chunks and tiles here, its error against the reference, its time

The kernels themselves are the same for every model and lie in lsm_torch/kernels; which parts of them are compiled, and for
which shapes, follows from the operands that model.py gives them. Nothing is tuned at run time.
"""

from pathlib import Path

from lsm_torch.train.kernels import main
from model import Moby

if __name__ == "__main__":
    main(Moby, Path(__file__).resolve().parent)
