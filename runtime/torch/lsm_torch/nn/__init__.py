"""What emitted models are made of: layers, and the functions that torch.nn.functional lacks."""

from .attention import attend
from .conv import causal_conv, delay
from .functional import cumulate, maximum, minimum, rotate, shift, softplus, top_k
from .linear import ExpertLinear, Linear
from .loop import token_loop
from .loss import cross_entropy, linear_cross_entropy
from .norm import RMSNorm
from .parts import Parts
from .route import grouped_dot, one_row, put, slot_positions, take
from .update import after_step, apply_updates

__all__ = [
    "ExpertLinear",
    "Linear",
    "Parts",
    "RMSNorm",
    "after_step",
    "apply_updates",
    "attend",
    "causal_conv",
    "cross_entropy",
    "cumulate",
    "delay",
    "grouped_dot",
    "linear_cross_entropy",
    "maximum",
    "minimum",
    "one_row",
    "put",
    "rotate",
    "shift",
    "slot_positions",
    "softplus",
    "take",
    "token_loop",
    "top_k",
]
