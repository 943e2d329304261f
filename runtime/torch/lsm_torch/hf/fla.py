"""Reads a checkpoint of flash-linear-attention into an lsm checkpoint, for models of layers that are equal in both.

    python -m lsm_torch.hf.fla FOLDER OUT     in a project's folder; FOLDER has config.json and *.safetensors

Equal are GLA, DeltaNet, GatedDeltaNet and the gated feed-forward layer, in blocks that normalise before each. FLA's weights are [outputs, inputs] without axes of heads, and its convolutions begin with the oldest tap.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..checkpoint import checkpoint as checkpoints
from ..checkpoint import safetensors
from ..checkpoint.paths import named_tensors
from ..errors import RunError
from ..train.project import Project

#: Our path in a block → FLA's.
_BLOCK = {
    "mixer_norm.weight": "attn_norm.weight",
    "ffn_norm.weight": "mlp_norm.weight",
    "ffn.gate.weight": "mlp.gate_proj.weight",
    "ffn.up.weight": "mlp.up_proj.weight",
    "ffn.down.weight": "mlp.down_proj.weight",
}
_OUTSIDE = {
    "table": "model.embeddings.weight",
    "norm.weight": "model.norm.weight",
    "logits.weight": "lm_head.weight",
}
_PROJECTIONS = {f"{x}.weight": f"{x}_proj.weight" for x in "qkv"}
_CONVOLVED = {f"{x}.linear.weight": f"{x}_proj.weight" for x in "qkv"} | {
    f"{x}.conv.weight": f"{x}_conv1d.weight" for x in "qkv"
}
_OUTPUT = {"out.rmsnorm.weight": "o_norm.weight", "out.linear.weight": "o_proj.weight"}

#: By the layer's name: its parameters in FLA's layer of the same name.
_MIXERS: dict[str, dict[str, str]] = {
    "GLA": _PROJECTIONS
    | {
        "a.down.weight": "gk_proj.0.weight",
        "a.up.weight": "gk_proj.1.weight",
        "a.up.offset": "gk_proj.1.bias",
        "gate.weight": "g_proj.weight",
        "out.rmsnorm.weight": "g_norm_swish_gate.weight",
        "out.linear.weight": "o_proj.weight",
    },
    "DeltaNet": _CONVOLVED | _OUTPUT | {"b.weight": "b_proj.weight"},
    "GatedDeltaNet": _CONVOLVED
    | _OUTPUT
    | {
        "b.weight": "b_proj.weight",
        "A": "A_log",
        "dt_bias": "dt_bias",
        "dt.weight": "a_proj.weight",
        "gate.weight": "g_proj.weight",
    },
}

#: What FLA's configurations may say that makes a layer another one, and what it must be.
_MUST_BE: dict[str, tuple[Any, ...]] = {
    "allow_neg_eigval": (False,),
    "clamp_min": (None,),
    "feature_map": (None,),
    "gate_logit_normalizer": (16,),
    "hidden_act": ("swish", "silu"),
    "qk_activation": ("silu",),
    "qk_norm": ("l2",),
}


def converted(model: nn.Module, given: dict[str, Tensor]) -> dict[str, Tensor]:
    """Every weight of an emitted model by its path, from FLA's tensors; each of these is used once."""
    left = dict(given)
    found: dict[str, Tensor] = {}
    tied = not any(path.startswith("logits.") for path in named_tensors(model))
    if tied:
        left.pop("lm_head.weight", None)
    for path, own in named_tensors(model).items():
        name = name_of(model, path)
        if name not in left:
            name = name.replace("g_norm_swish_gate", "g_norm")  # of layers that were made without fused norms
        value = left.pop(name, None)
        if value is None and name == "lm_head.weight":
            value = given["model.embeddings.weight"]  # tied there
        if value is None or value.numel() != own.numel():
            has = "nothing" if value is None else f"{list(value.shape)}"
            raise RunError(
                "fla-mismatch", f"`{path}` is {list(own.shape)}, and `{name}` is {has}", "the FLA checkpoint"
            )
        found[path] = arranged(path, value).reshape(own.shape).to(own.dtype)
    if left:
        raise RunError("fla-mismatch", f"this model has nothing for {', '.join(sorted(left))}", "the FLA checkpoint")
    return found


def name_of(model: nn.Module, path: str) -> str:
    """FLA's name of a parameter."""
    if path in _OUTSIDE:
        return _OUTSIDE[path]
    match = re.fullmatch(r"blocks\.(\d+)\.(.*)", path)
    if match is not None:
        index, rest = match.groups()
        if rest in _BLOCK:
            return f"model.layers.{index}.{_BLOCK[rest]}"
        mixer = type(model.get_submodule(f"blocks.{index}.mixer")).__name__.rstrip("0123456789")
        own = _MIXERS.get(mixer, {}).get(rest.removeprefix("mixer."))
        if own is not None:
            return f"model.layers.{index}.attn.{own}"
    equal = ", ".join(_MIXERS)
    help = f"layers that are equal in both: {equal}, each with swiglu in a Block"
    raise RunError("fla-no-equal", f"FLA has no parameter like `{path}`", "the model", help)


def arranged(path: str, x: Tensor) -> Tensor:
    """FLA's tensor in our order of elements."""
    if path.endswith("conv.weight"):
        return x.reshape(x.shape[0], x.shape[-1]).T.flip(0)
    return x if path == "table" or x.dim() == 1 else x.T


def check(config: dict[str, Any], where: str) -> None:
    """Refuses settings that make FLA's layers others than ours."""
    for key, allowed in _MUST_BE.items():
        if key in config and config[key] not in allowed:
            what = f"`{key}` is {config[key]!r}, and our layers are equal only with {allowed[0]!r}"
            raise RunError("fla-no-equal", what, where)
    eps = config.get("norm_eps", 1e-6)
    if eps != 1e-6:
        print(f"warning: norm_eps is {eps} there and 1e-6 here: results differ by as much", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description="Reads a checkpoint of flash-linear-attention.")
    parser.add_argument("folder", type=Path, help="the folder with config.json and *.safetensors")
    parser.add_argument("out", type=Path, help="the folder to write final.safetensors to")
    parser.add_argument("--project", type=Path, default=Path(), help="what `lsm build --target torch` wrote")
    options = parser.parse_args()
    try:
        print(f"wrote {imported(options.folder, options.out, options.project)}")
    except RunError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


def imported(folder: Path, out: Path, home: Path) -> Path:
    """Writes the lsm checkpoint of step 0; gives its path."""
    project = Project.read(home.resolve())
    sys.path.insert(0, str(project.folder))
    classes = vars(importlib.import_module("model")).values()
    (model,) = (own() for own in classes if isinstance(own, type) and hasattr(own, "losses"))
    check(json.loads((folder / "config.json").read_text()), str(folder / "config.json"))
    given: dict[str, Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        given.update(safetensors.load(path)[0])
    weights = {path: x.float() for path, x in converted(model, given).items()}
    trained = [spec["path"] for spec in project.parameters if spec["trainable"]]
    moments = {slot: {path: torch.zeros_like(weights[path]) for path in trained} for slot in ("m", "v")}
    tokenizer = folder / "tokenizer.json"
    described: dict[str, Any] = {"kind": "bytes"}
    if tokenizer.exists():
        described = {"kind": "tokenizer.json", "name": tokenizer.name, "json": tokenizer.read_text()}
    settings = project.config["train"]
    state = {
        "model": project.config["model"],
        "train": settings["name"],
        "step": 0,
        "schedule": {**settings["schedule"], "lr": settings["optimizer"]["lr"], "steps": settings["steps"]},
        "data": {"position": 0, "seed": settings["seed"], "fingerprint": ""},
        "random": {},
        "tokenizer": described,
        "compiler": project.config["compiler"],
        "notes": {"imported": "flash-linear-attention"},
    }
    return checkpoints.write(out, checkpoints.Checkpoint(project.source, state, weights, moments), True)


if __name__ == "__main__":
    main()
