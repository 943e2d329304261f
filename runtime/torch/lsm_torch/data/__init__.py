"""What a trainer learns from, in the order that every target of lsm has (runtime/format.md)."""

from .open import OpenedData, open_data

__all__ = ["OpenedData", "open_data"]
