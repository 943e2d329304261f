"""Checkpoints: one safetensors file that every target of lsm reads and writes (runtime/format.md)."""
