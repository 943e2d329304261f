"""python test/gpu/carry_fla.py [FOLDER]: copies what FLA's operators need of the installed FLA, for a GPU machine without a network.

The folder, `.fla` in the repository unless told otherwise, is where `run.py` looks. Layers and models stay behind: they need
transformers, and importing them takes seconds in each of the processes that compile.
"""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path


def main(arguments: list[str]) -> None:
    target = Path(arguments[0]) if arguments else Path(__file__).parents[2] / ".fla"
    shutil.rmtree(target, ignore_errors=True)
    leave = shutil.ignore_patterns("__pycache__", "layers", "models")
    for package in ("fla", "einops"):
        found = find_spec(package)
        if found is None or found.origin is None:
            sys.exit(f"{package} is not installed here: pip install flash-linear-attention==0.5.2")
        shutil.copytree(Path(found.origin).parent, target / package, ignore=leave)
    size = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    print(f"{target}: {size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main(sys.argv[1:])
