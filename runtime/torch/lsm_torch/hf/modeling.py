"""An emitted model as a causal language model of transformers.

generate() goes on from the recurrent state: a step costs the same whatever the length of the text, but for attention without a
window. Padding on the left is told by attention_mask; it is a document of its own, so it changes no logit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from ..nn.cache import Cache
from .configuration import LsmConfig


class StateCache(Cache):
    """The model's cache, with what generate() asks of one."""

    is_compileable = False

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return self.seen

    def reorder_cache(self, beam_idx: Tensor) -> None:
        self.select(beam_idx)

    def batch_select_indices(self, indices: Tensor) -> None:
        self.select(indices)


class LsmForCausalLM(PreTrainedModel, GenerationMixin):
    config_class = LsmConfig
    base_model_prefix = "model"
    main_input_name = "input_ids"
    _is_stateful = True  # a state cannot go back: no assisted generation
    emitted: ClassVar[Callable[[], nn.Module]]

    def __init__(self, config: LsmConfig) -> None:
        super().__init__(config)
        self.model = type(self).emitted()
        self.post_init()

    @classmethod
    def _supports_default_dynamic_cache(cls) -> bool:
        return False  # forward makes its own

    def _init_weights(self, module: nn.Module) -> None:
        """Weights come from a checkpoint; how they start is a matter of lsm's trainers."""

    def forward(
        self,
        input_ids: Tensor,  # int [B, T]
        attention_mask: Tensor | None = None,  # [B, past + T]: 0 for padding
        position_ids: Tensor | None = None,  # int [B, T]: places in documents, from 0, instead of a mask
        past_key_values: StateCache | None = None,
        labels: Tensor | None = None,  # int [B, T], -100 where nothing is asked
        use_cache: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        return_dict: bool | None = None,
        **_: Any,
    ) -> CausalLMOutputWithPast | tuple[Any, ...]:
        if use_cache is None:
            use_cache = not self.training and labels is None
        cache = past_key_values
        if cache is None and use_cache:
            cache = StateCache()
        seen = 0 if cache is None else cache.seen
        if position_ids is None:
            position_ids = places(input_ids, attention_mask, seen)
        logits = self.model(input_ids, position_ids.expand(input_ids.shape), cache)
        if cache is not None:
            cache.seen = seen + input_ids.shape[1]
        loss = None
        if labels is not None:
            loss = F.cross_entropy(logits[:, :-1].float().flatten(0, 1), labels[:, 1:].flatten())
        if not isinstance(logits_to_keep, int):
            logits = logits[:, logits_to_keep]
        elif logits_to_keep > 0:
            logits = logits[:, -logits_to_keep:]
        found: dict[str, Any] = {"loss": loss, "logits": logits, "past_key_values": cache}
        output = CausalLMOutputWithPast(**found)
        return output if return_dict is not False else output.to_tuple()


def places(ids: Tensor, mask: Tensor | None, seen: int) -> Tensor:
    """Each token's place in its text, int [B, T]; each padding is a document of one token."""
    length = ids.shape[1]
    if mask is None:
        return torch.arange(seen, seen + length, device=ids.device).expand(ids.shape)
    if mask.dim() != 2 or mask.shape[1] != seen + length:
        raise ValueError(
            f"attention_mask is {list(mask.shape)}, but it tells padding from text for the {seen} tokens before and these "
            f"{length}: [{ids.shape[0]}, {seen + length}] is needed"
        )
    return (mask.long().cumsum(1) - 1).clamp(min=0)[:, seen:]
