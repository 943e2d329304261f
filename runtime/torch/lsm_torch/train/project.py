"""What `lsm build --target torch` wrote beside train.py."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Project:
    folder: Path
    config: dict[str, Any]  # model, train, batch, precision, data, source, activated, compiler
    parameters: list[dict[str, Any]]  # path, axes, initializer, trainable, decay
    source: str

    @staticmethod
    def read(folder: Path) -> Project:
        config = json.loads((folder / "config.json").read_text())
        parameters = json.loads((folder / "parameters.json").read_text())
        return Project(folder, config, parameters, (folder / config["source"]).read_text())
