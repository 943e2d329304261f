"""What a trainer learns from, in the order that every target of lsm has (runtime/format.md)."""

from .open import OpenedTokens, open_data

__all__ = ["OpenedTokens", "open_data"]
