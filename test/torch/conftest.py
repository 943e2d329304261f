"""Finds the package where it lies, so that the tests need no installation."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "runtime" / "torch"))
sys.path.insert(0, str(Path(__file__).parent))
