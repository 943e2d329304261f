"""The trainer: `main` is the command line of an emitted train.py."""

from .main import main

__all__ = ["main"]
