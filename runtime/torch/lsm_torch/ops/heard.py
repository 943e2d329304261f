"""Hears which recurrences a model computes with kernels, so that they can be checked with its own operands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Call:
    """One call of an op; tensors are as they were given, in `arguments` by name, pairs of them as tuples."""

    function: Callable[..., Any]
    arguments: dict[str, Any]

    def signature(self) -> tuple[Any, ...]:
        """Equal for calls that the same kernels serve in the same way."""
        return (self.function.__name__, *((name, _form(x)) for name, x in sorted(self.arguments.items())))


def _form(x: Any) -> Any:
    if isinstance(x, Tensor):
        return tuple(x.shape), x.dtype
    return tuple(map(_form, x)) if isinstance(x, tuple) else x


_calls: list[Call] | None = None


def hear(function: Callable[..., Any], **arguments: Any) -> None:
    if _calls is not None:
        _calls.append(Call(function, arguments))


@contextmanager
def listening() -> Iterator[list[Call]]:
    """The calls made inside."""
    global _calls
    before, _calls = _calls, []
    try:
        yield _calls
    finally:
        _calls = before
