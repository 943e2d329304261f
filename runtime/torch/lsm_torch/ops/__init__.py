"""The ops that emitted programs call. Every op takes float tensors on any device and is differentiable."""

from .delta_rule import delta_rule
from .recurrence import recurrence
from .scans import linear_scan, maxplus_scan, selective_scan
from .step import recurrence_step

__all__ = ["delta_rule", "linear_scan", "maxplus_scan", "recurrence", "recurrence_step", "selective_scan"]
