"""The configuration of an exported model: its sizes lie in model.py, this is for who asks."""

from __future__ import annotations

from typing import Any

from transformers import PretrainedConfig


class LsmConfig(PretrainedConfig):
    """vocab_size, hidden_size and num_hidden_layers, the latter for information alone."""

    model_type = "lsm"

    def __init__(
        self,
        vocab_size: int = 256,
        hidden_size: int = 0,
        num_hidden_layers: int = 0,
        **others: Any,
    ) -> None:
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        super().__init__(**others)
