"""Named random streams, the same on every target of lsm (runtime/format.md)."""

from .stream import RandomStream

__all__ = ["RandomStream"]
