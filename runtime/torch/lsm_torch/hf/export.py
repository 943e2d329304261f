"""Writes a checkpoint as a folder for Hugging Face's transformers."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..checkpoint import checkpoint as checkpoints
from ..checkpoint import safetensors
from ..checkpoint.paths import named_tensors
from ..errors import RunError
from ..train.project import Project
from .flatten import flatten, rewritten
from .tokenizers import tokenizer_files

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def main(model: Callable[[], nn.Module], folder: Path) -> None:
    """The command line of export_hf.py; ends the process."""
    parser = argparse.ArgumentParser(description="Writes a checkpoint as a folder that transformers loads.")
    parser.add_argument("checkpoint", type=Path, help="a checkpoint of lsm, or a run's folder")
    parser.add_argument("out", type=Path, help="the folder to write")
    parser.add_argument("--dtype", choices=_DTYPES, default="float32")
    parser.add_argument("--overwrite", action="store_true", help="write over a model that is in the folder")
    options = parser.parse_args()
    try:
        path: Path = options.checkpoint
        if path.is_dir():
            found = checkpoints.latest(path / "checkpoints" if (path / "checkpoints").is_dir() else path)
            if found is None:
                raise RunError("file-missing", "there is no checkpoint in this folder", str(path))
            path = found
        if (options.out / "config.json").exists() and not options.overwrite:
            help = "give another folder, or --overwrite"
            raise RunError("file-exists", "there is a model in this folder", str(options.out), help)
        names = export(model(), Project.read(folder), checkpoints.read(path), options.out, options.dtype)
        print(f"wrote {options.out}: {len(names)} files, the weights in model.safetensors")
    except RunError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


def export(
    model: nn.Module, project: Project, checkpoint: checkpoints.Checkpoint, out: Path, dtype: str = "float32"
) -> list[str]:
    """Writes the folder; gives the names of its files."""
    name = type(model).__name__
    fill(model, checkpoint.weights)
    weights = {f"model.{path}": x.detach().to(_DTYPES[dtype]).contiguous() for path, x in model.state_dict().items()}
    tokenizer = checkpoint.state.get("tokenizer")
    files, pad = ({}, None) if tokenizer is None else tokenizer_files(tokenizer)
    stem = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    runtime = Path(__file__).resolve().parents[1]
    own = (project.folder / "model.py").read_text()
    modeling = _MODELING.format(name=name, stem=stem)
    configuration = _CONFIGURATION.format(name=name, stem=stem)
    for text in (own, modeling, configuration):
        files.update(flatten(text, runtime))
    files["model.py"] = rewritten(own, "")
    files[f"modeling_{stem}.py"] = rewritten(modeling, "")
    files[f"configuration_{stem}.py"] = rewritten(configuration, "")
    files["config.json"] = _json(configured(name, stem, project, model, dtype, pad))
    files["generation_config.json"] = _json({"do_sample": False, "use_cache": True, "pad_token_id": pad})
    files["README.md"] = _README.format(name=name, source=project.config["source"], text=project.source.strip())
    out.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (out / file).write_text(text)
    safetensors.save(out / "model.safetensors", weights, {"format": "pt"})
    return sorted([*files, "model.safetensors"])


@torch.no_grad()
def fill(model: nn.Module, weights: dict[str, Tensor]) -> None:
    """Gives the model a checkpoint's weights."""
    for path, own in named_tensors(model).items():
        value = weights.get(path)
        if value is None or value.shape != own.shape:
            found = "nothing" if value is None else f"{list(value.shape)}"
            what = f"`{path}` is {list(own.shape)} in model.py and {found} in the checkpoint"
            help = "export with the project that the checkpoint was trained with"
            raise RunError("checkpoint-mismatch", what, "the checkpoint", help)
        own.copy_(value)


def configured(name: str, stem: str, project: Project, model: nn.Module, dtype: str, pad: int | None) -> dict[str, Any]:
    blocks = [len(own) for own in model.children() if isinstance(own, nn.ModuleList)]
    widths = [axis["size"] for spec in project.parameters for axis in spec["axes"] if axis["name"] == "width"]
    return {
        "architectures": [f"{name}ForCausalLM"],
        "auto_map": {
            "AutoConfig": f"configuration_{stem}.{name}Config",
            "AutoModelForCausalLM": f"modeling_{stem}.{name}ForCausalLM",
        },
        "model_type": f"lsm_{stem}",
        "vocab_size": project.config["vocabulary"],
        "hidden_size": max(widths, default=0),
        "num_hidden_layers": sum(blocks),
        "tie_word_embeddings": False,
        "bos_token_id": None,
        "eos_token_id": None,
        "pad_token_id": pad,
        "dtype": dtype,
        "lsm_compiler": project.config["compiler"],
    }


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2) + "\n"


_MODELING = '''"""{name} for transformers; the model itself is model.py, and what it is made of lies beside it."""

from lsm_torch.hf.modeling import LsmForCausalLM

from .configuration_{stem} import {name}Config
from .model import {name}


class {name}ForCausalLM(LsmForCausalLM):
    config_class = {name}Config
    emitted = {name}
'''

_CONFIGURATION = '''"""The configuration of {name}."""

from lsm_torch.hf.configuration import LsmConfig


class {name}Config(LsmConfig):
    model_type = "lsm_{stem}"
'''

_README = """---
library_name: transformers
pipeline_tag: text-generation
---

# {name}

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained(PATH, trust_remote_code=True)
tokenizer = AutoTokenizer.from_pretrained(PATH, trust_remote_code=True)
batch = tokenizer(["Call me", "The whale"], return_tensors="pt", padding=True)
print(tokenizer.batch_decode(model.generate(**batch, max_new_tokens=100)))
```

It needs torch and transformers 5. `generate` goes on from the model's recurrent state; on a GPU the recurrences run on the
Triton kernels beside the model. The program that it was compiled from, `{source}`:

```
{text}
```
"""
