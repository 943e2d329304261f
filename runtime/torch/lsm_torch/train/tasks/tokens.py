"""Learning the next token, of a text or a generated task: cross entropy beside what counting achieves."""

from __future__ import annotations

from ...charts import Baseline
from ...data import OpenedTokens
from ...data.baselines import MOST_TOKENS
from ...data.mqar import MqarRows
from ..measure import Evaluator, Measured
from .task import Row, Task

#: Rows of held-out data that are measured on the way, in batches of the run; at the end all of it.
_BATCHES = 16

#: Tokens at the start of the held-out text that a sample goes on from.
_PROMPT = 24


def tokens_task(data: OpenedTokens, seq: int) -> Task:
    counted = data.baselines()
    described = None if data.tokenizer is None else data.tokenizer.describe()
    unit = "nats per byte" if described == {"kind": "bytes"} else "nats per token"
    about: list[Row] = [("data", data.summary)]
    if counted is not None:
        text = f"unigram {counted.unigram:.3f}, bigram {counted.bigram:.3f}, held out, {unit}"
        about.append(("baselines", text))
    elif data.held_out is not None and not data.recall:
        about.append(("baselines", f"none: pairs are counted in texts of up to {MOST_TOKENS:,} tokens"))

    def measure(evaluator: Evaluator, on_the_way: bool) -> Measured | None:
        if data.held_out is None:
            return None
        limit = _BATCHES * evaluator.batch if on_the_way else None
        return evaluator.measure(data.held_out, "accuracy" if data.recall else "loss", limit)

    def note(measured: Measured) -> str:
        right = "" if measured.accuracy is None else f", accuracy {percent(measured.accuracy)}"
        return f"held-out loss {measured.loss:.3f}{right}"

    def ending(training: float, held: Measured | None) -> list[Row]:
        losses = [f"training {training:.3f}"]
        losses += [] if held is None else [f"held out {held.loss:.3f}"]
        losses += [] if counted is None else [f"bigram model {counted.bigram:.3f}"]
        rows = [("loss", f"{', '.join(losses)} ({unit})")]
        if held is not None and held.accuracy is not None:
            rows.append(("accuracy", f"{percent(held.accuracy)} of {held.predictions:,} held-out predictions"))
        return rows

    lines = (
        []
        if counted is None
        else [Baseline("bigram model", counted.bigram), Baseline("unigram model", counted.unigram)]
    )
    return Task(
        train=data.train,
        tokenizer=data.tokenizer,
        fingerprint=data.fingerprint,
        vocabulary=data.vocabulary,
        tokens_per_row=seq,
        about=about,
        unit="nats per token",
        baselines=lambda _: lines,
        measure=measure,
        note=note,
        ending=ending,
        finish=lambda *_: ([], []),
        opening=opening(data),
    )


def percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def opening(data: OpenedTokens) -> str | None:
    """The first words of the held-out text, up to the last whole one."""
    rows = data.held_out or data.train
    if data.tokenizer is None or isinstance(rows, MqarRows):
        return None
    text = data.tokenizer.decode(rows.batch(0, 1).tokens[0, :_PROMPT].tolist())
    space = text.rfind(" ")
    return text[: space + 1] if space > 0 else text
