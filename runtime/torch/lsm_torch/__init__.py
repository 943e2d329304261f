"""What emitted PyTorch programs import: the recurrences and their kernels, and what trains and stores a model."""
