"""Parameters by their paths in checkpoints.

A path is where a parameter stands in the .lsm source; the module tree has the same names, but for words that Python or
torch.nn.Module keep for themselves: those end in `_` there.
"""

from __future__ import annotations

import keyword

from torch import Tensor, nn

_RESERVED = {
    *keyword.kwlist,
    *keyword.softkwlist,
    *dir(nn.Module),
    *[
        "self",
        "torch",
        "nn",
        "F",
        "Tensor",
        "recurrence",
        "linear_scan",
        "maxplus_scan",
        "B",
        "T",
        "features",
        "loss",
        "losses",
    ],
    *["abs", "all", "any", "float", "int", "len", "list", "max", "min", "range", "sum", "tuple", "zip"],
    "training",
}


def checkpoint_path(attributes: str) -> str:
    """`blocks.0.lambda_.weight` as `blocks.0.lambda.weight`."""
    return ".".join(
        part[:-1] if part.endswith("_") and part[:-1] in _RESERVED else part for part in attributes.split(".")
    )


def named_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Every parameter and buffer by its path; one that several names share comes once."""
    found: dict[str, Tensor] = {}
    found.update((checkpoint_path(name), x) for name, x in model.named_parameters())
    found.update((checkpoint_path(name), x) for name, x in model.named_buffers())
    return found
