"""What emitted models are made of: layers, and the functions that torch.nn.functional lacks."""

from .attention import attend
from .cache import Cache
from .conv import ShortConv, causal_conv, delay
from .documents import documents
from .functional import cumulate, log_sigmoid, maximum, minimum, rotate, shift, silu_mul, softplus, top_k
from .linear import ExpertLinear, Linear
from .linears import linears
from .loads import note_load
from .loop import token_loop
from .loss import cross_entropy, linear_cross_entropy
from .norm import RMSNorm, l2_norm
from .parts import Parts
from .recurrent import delta_rule, recurrence
from .route import combine, dispatch, grouped_dot, one_row, put, routed_swiglu, take
from .scan import linear_scan, maxplus_scan, selective_scan
from .slots import slot_positions
from .update import after_step, apply_updates

__all__ = [
    "Cache",
    "ExpertLinear",
    "Linear",
    "Parts",
    "RMSNorm",
    "ShortConv",
    "after_step",
    "apply_updates",
    "attend",
    "causal_conv",
    "combine",
    "cross_entropy",
    "cumulate",
    "delay",
    "delta_rule",
    "dispatch",
    "documents",
    "grouped_dot",
    "l2_norm",
    "linear_cross_entropy",
    "linear_scan",
    "linears",
    "log_sigmoid",
    "maximum",
    "maxplus_scan",
    "minimum",
    "note_load",
    "one_row",
    "put",
    "recurrence",
    "rotate",
    "routed_swiglu",
    "selective_scan",
    "shift",
    "silu_mul",
    "slot_positions",
    "softplus",
    "take",
    "token_loop",
    "top_k",
]
