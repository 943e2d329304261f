"""Layers and parameters under one name that are no layer together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn


class Parts(nn.Module):
    """Parts(linear=Linear(..), weight=nn.Parameter(..)): reached as attributes."""

    def __init__(self, **parts: nn.Module | nn.Parameter | nn.Buffer) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
