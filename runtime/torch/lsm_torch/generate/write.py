"""Writes with a model: the prompt is read at once, then one token in, one out, and nothing that grows with the text."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ..data.tokenizer import Tokenizer
from ..nn import Cache
from ..random import RandomStream
from .sample import sample

#: tokens [1, T], positions [1, T] and the cache of what came before to logits [1, T, vocab].
Forward = Callable[[Tensor, Tensor, Cache], Tensor]


@torch.no_grad()
def write(
    model: Forward, tokenizer: Tokenizer, prompt: str, length: int, temperature: float, seed: int, device: torch.device
) -> Iterator[str]:
    """The prompt, then `length` tokens behind it, each as soon as its characters are whole."""
    ids = [int(id) for id in tokenizer.encode(prompt)]
    yield prompt
    random = RandomStream(seed, "sample")
    cache = Cache()
    new, at = ids, 0
    written: list[int] = []
    shown = ""
    for _ in range(length if ids else 0):
        tokens = torch.tensor([new], device=device)
        positions = torch.arange(at, at + len(new), device=device)[None]
        logits = model(tokens, positions, cache)[0, -1].float().cpu().numpy()
        at += len(new)
        new = [sample(logits[: tokenizer.size], temperature, random)]
        written += new
        whole = tokenizer.decode(written).rstrip("\ufffd")  # which the next bytes may complete
        if whole.startswith(shown):
            yield whole[len(shown) :]
            shown = whole
    text = tokenizer.decode(written)
    if text.startswith(shown):
        yield text[len(shown) :]
