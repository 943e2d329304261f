"""Triton kernels of the ops, and the choice of their schedule from shapes."""
