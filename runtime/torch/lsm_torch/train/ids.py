"""Ids that a model has no row for, found before a GPU would fail on them without a word."""

from __future__ import annotations

from ..data.rows import Batch
from ..errors import RunError
from .project import Project


def check_ids(batch: Batch, project: Project) -> None:
    size: int = project.config["vocabulary"]
    if size == 0:  # a model that reads no tokens
        return
    low = min(int(batch.tokens.min()), int(batch.targets.min()))
    high = max(int(batch.tokens.max()), int(batch.targets.max()))
    if 0 <= low and high < size:
        return
    what = f"the data has the id {high if high >= size else low}, and the model takes those from 0 to {size - 1}"
    help = "make `vocab` as large as the tokenizer's, or give the data that was made with this tokenizer"
    raise RunError("vocabulary-too-small", what, f"model {project.config['model']}", help)
