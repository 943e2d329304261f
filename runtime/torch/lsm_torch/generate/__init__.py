"""Text from a model, token by token."""

from .sample import sample
from .write import write

__all__ = ["sample", "write"]
