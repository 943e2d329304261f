"""Trains Moby; --help lists all flags.

python train.py                              on a GPU or the CPU, into runs/moby
torchrun --nproc-per-node 8 train.py         on several GPUs
python train.py --resume                     goes on from the newest checkpoint
"""

from pathlib import Path

from lsm_torch.train import main
from model import Moby

if __name__ == "__main__":
    main(Moby, Path(__file__).resolve().parent)
