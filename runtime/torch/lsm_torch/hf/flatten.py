"""The modules that model.py imports, as files side by side.

transformers copies what a remote model's file imports with `from .name import`, file by file and from one folder. So the packages
of lsm_torch become files whose names spell the path: `lsm_torch.nn.cache` is `lsm_torch_nn_cache.py`.
"""

from __future__ import annotations

import ast
from pathlib import Path

_PACKAGE = "lsm_torch"


def flatten(text: str, runtime: Path) -> dict[str, str]:
    """By file name: all that a module's text imports from the runtime folder, directly or not."""
    files: dict[str, str] = {}
    waiting = imported(text, "")
    while waiting:
        module = waiting.pop()
        name = f"{module.replace('.', '_')}.py"
        if name in files:
            continue
        base = runtime.parent / module.replace(".", "/")
        is_package = base.is_dir()
        path = base / "__init__.py" if is_package else base.with_suffix(".py")
        source = path.read_text()
        home = module if is_package else module.rpartition(".")[0]
        files[name] = rewritten(source, home)
        waiting += imported(source, home)
    return files


def imported(text: str, home: str) -> list[str]:
    """The runtime's modules that a text imports; `home` is the package it lies in, "" beside them."""
    return [found for node in _imports(text) if (found := _absolute(node, home)) is not None]


def rewritten(text: str, home: str) -> str:
    """The text with `from .lsm_torch_nn_cache import` for each import from the runtime."""
    lines = text.split("\n")
    for node in _imports(text):
        module = _absolute(node, home)
        if module is None:
            continue
        line = lines[node.lineno - 1]
        before, _, after = line.partition("from ")
        old, _, rest = after.partition(" ")
        assert old.lstrip(".") == (node.module or "")
        lines[node.lineno - 1] = f"{before}from .{module.replace('.', '_')} {rest}"
    return "\n".join(lines)


def _imports(text: str) -> list[ast.ImportFrom]:
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]


def _absolute(node: ast.ImportFrom, home: str) -> str | None:
    if node.level == 0:
        own = (node.module or "").split(".")[0] == _PACKAGE
        return node.module if own else None
    if home == "":
        return None  # a file beside it already
    if node.module is None:
        raise ValueError(f"`from {'.' * node.level} import` has no file of its own for transformers to copy")
    parts = home.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], node.module])
