"""The progress line: redrawn in place on a terminal, at most ten times a second; elsewhere a plain line now and then.

What does not fit the terminal's width is left out, the least needed first.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import sys
import time
from dataclasses import dataclass
from typing import TextIO

_REDRAW, _REPORT = 0.1, 5.0  # seconds between two drawings on a terminal, and between two lines elsewhere
_DISPENSABLE = ("bar", "lr", "speed", "left", "loss")


@dataclass(frozen=True)
class State:
    step: int  # updates made
    loss: float
    rate: float  # the learning rate
    tokens_per_second: float
    seconds_left: float


class Progress:
    def __init__(self, steps: int, out: TextIO | None = None) -> None:
        self.steps, self.out = steps, out or sys.stderr
        self.terminal = self.out.isatty()
        self.colour = self.terminal and not os.environ.get("NO_COLOR")
        self.state: State | None = None
        self.shown: State | None = None
        self.drawn = -math.inf  # when the line was last written

    def update(self, state: State) -> None:
        self.state = state
        if time.monotonic() >= self.drawn + (_REDRAW if self.terminal else _REPORT):
            self._draw()

    def note(self, text: str) -> None:
        """Writes a line of its own that stays, above the progress line."""
        redrawn = self.terminal and self.shown is not None
        self.out.write(f"\r\x1b[K{text}\n" if redrawn else f"{text}\n")
        if redrawn:
            self._draw()
        self.out.flush()

    def done(self) -> None:
        """Writes the last state and leaves it standing."""
        if self.state is not self.shown:
            self._draw()
        if self.terminal and self.shown is not None:
            self.out.write("\n")
            self.out.flush()
        self.state = self.shown = None

    def _draw(self) -> None:
        if self.state is None:
            return
        parts = _parts(self.state, self.steps)
        if self.terminal:
            fitting = _fit(parts, shutil.get_terminal_size().columns - 1)
            line = "  ".join(_painted(kind, text) if self.colour else text for kind, text in fitting)
            self.out.write(f"\r{line}\x1b[K")
        else:
            self.out.write("  ".join(text for kind, text in parts if kind != "bar") + "\n")
        self.out.flush()
        self.drawn, self.shown = time.monotonic(), self.state


def _parts(state: State, steps: int) -> list[tuple[str, str]]:
    width = len(str(steps))
    filled = max(0, min(20, round(20 * state.step / steps)))
    return [
        ("step", f"step {state.step:>{width}}/{steps}"),
        ("bar", "━" * filled + "─" * (20 - filled)),
        ("loss", f"loss {state.loss:.3f}"),
        ("lr", f"lr {state.rate:.2e}"),
        ("speed", f"{_rate(state.tokens_per_second)} tokens/s"),
        ("left", f"{duration(state.seconds_left)} left"),
    ]


def _fit(parts: list[tuple[str, str]], width: int) -> list[tuple[str, str]]:
    def length() -> int:
        return sum(len(text) for _, text in parts) + 2 * (len(parts) - 1)

    for kind in _DISPENSABLE:
        if length() > width:
            parts = [part for part in parts if part[0] != kind]
    return parts if length() <= width else [(kind, text[: max(0, width)]) for kind, text in parts]


def _painted(kind: str, text: str) -> str:
    if kind == "loss":
        return f"\x1b[1m{text}\x1b[22m"
    if kind == "bar":
        text = re.sub("━+", "\x1b[36m\\g<0>\x1b[39m", text)
        return re.sub("─+", "\x1b[2m\\g<0>\x1b[22m", text)
    return text if kind == "step" else f"\x1b[2m{text}\x1b[22m"


def _rate(per_second: float) -> str:
    if per_second >= 1e6:
        return f"{per_second / 1e6:.1f}M"
    return f"{per_second / 1e3:.1f}k" if per_second >= 1e4 else f"{per_second:.0f}"


def duration(seconds: float) -> str:
    """`0:07`, `12:30`, `3:05:00`; `–:––` when unknown."""
    if not math.isfinite(seconds):
        return "–:––"
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours > 0 else f"{minutes}:{rest:02}"
