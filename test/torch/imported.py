"""Models of flash-linear-attention and what lsm_torch.hf.fla makes of their checkpoints: one JSON line of how far logits are apart.

    python test/torch/imported.py FOLDER     FOLDER/<name>/project is the emitted model for each name of MODELS

FLA's layers run here with its own naive recurrences, and torch's norms and convolutions: its kernels need a GPU.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

warnings.simplefilter("ignore")

import fla.layers.delta_net
import fla.layers.gated_deltanet
import fla.layers.gla
from fla.models import (
    DeltaNetConfig,
    DeltaNetForCausalLM,
    GatedDeltaNetConfig,
    GatedDeltaNetForCausalLM,
    GLAConfig,
    GLAForCausalLM,
)
from fla.modules import FusedRMSNormGated, RMSNorm, ShortConvolution
from fla.modules.mlp import GatedMLP
from fla.ops.delta_rule.naive import delta_rule_recurrence
from fla.ops.gated_delta_rule.naive import naive_recurrent_gated_delta_rule
from fla.ops.gla.naive import naive_recurrent_gla

PLAIN = {"fuse_norm": False, "fuse_swiglu": False, "fuse_cross_entropy": False, "norm_eps": 1e-6}
SIZES = {"hidden_size": 16, "num_heads": 2, "num_hidden_layers": 2, "vocab_size": 256, "intermediate_size": 24}
MODELS = {
    "gla": lambda: GLAForCausalLM(GLAConfig(**SIZES, **PLAIN)),
    "delta": lambda: DeltaNetForCausalLM(DeltaNetConfig(**SIZES, **PLAIN)),
    "gated": lambda: GatedDeltaNetForCausalLM(GatedDeltaNetConfig(**SIZES, **PLAIN, head_dim=8, expand_v=2)),
}


def unit(x: Tensor) -> Tensor:
    return x * (x.square().sum(-1, keepdim=True) + 1e-6).rsqrt()


def gla_op(q: Tensor, k: Tensor, v: Tensor, gk: Tensor, **_: Any) -> Any:
    return naive_recurrent_gla(q, k, v, gk)[0], None


def delta_op(q: Tensor, k: Tensor, v: Tensor, beta: Tensor, **_: Any) -> Any:
    q, k, v, beta = (x.transpose(1, 2) for x in (unit(q), unit(k), v, beta))
    return delta_rule_recurrence(q, k, v, beta)[0].transpose(1, 2), None


def gated_op(q: Tensor, k: Tensor, v: Tensor, g: Tensor, beta: Tensor, A_log: Tensor, dt_bias: Tensor, **_: Any) -> Any:
    g = -A_log.exp() * F.softplus(g + dt_bias)
    return naive_recurrent_gated_delta_rule(unit(q), unit(k), v, beta.sigmoid(), g)[0], None


def short_conv(self: Any, x: Tensor, **_: Any) -> Any:
    taps = self.weight.shape[-1]
    y = F.conv1d(F.pad(x.transpose(1, 2), (taps - 1, 0)), self.weight, groups=x.shape[-1])
    return F.silu(y.transpose(1, 2)), None


def on_the_cpu() -> None:
    fla.layers.gla.fused_recurrent_gla = gla_op
    fla.layers.delta_net.fused_recurrent_delta_rule = delta_op
    fla.layers.delta_net.chunk_delta_rule = delta_op
    fla.layers.gated_deltanet.fused_recurrent_gated_delta_rule = gated_op
    ShortConvolution.forward = short_conv
    fla.layers.gated_deltanet.GatedDeltaNet._use_fused_qkv_conv = lambda *_: False
    FusedRMSNormGated.forward = lambda self, x, g: F.rms_norm(x, x.shape[-1:], self.weight, self.eps) * F.silu(g)
    RMSNorm.forward = lambda self, x: F.rms_norm(x, x.shape[-1:], self.weight, self.eps)
    GatedMLP.forward = lambda self, x, **_: self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


def emitted(project: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"model_{project.parent.name}", project / "model.py")
    assert spec and spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found.Small()


@torch.no_grad()
def main(folder: Path) -> dict[str, float]:
    on_the_cpu()
    errors = {}
    for name, build in MODELS.items():
        home = folder / name
        torch.manual_seed(1)
        theirs = build().eval()
        for layer in theirs.modules():
            if hasattr(layer, "gate_fn"):
                layer.gate_fn = F.silu
        for x in theirs.parameters():
            x.add_(torch.randn_like(x), alpha=0.1)  # norms are 1 and biases 0 at first
        (home / "fla").mkdir()  # save_pretrained of fla 0.5.2 does not work with transformers 5
        save_file(theirs.state_dict(), home / "fla" / "model.safetensors")
        (home / "fla" / "config.json").write_text(theirs.config.to_json_string())
        command = [sys.executable, "-m", "lsm_torch.hf.fla", "../fla", "../run/checkpoints"]
        subprocess.run(command, cwd=home / "project", check=True, stdout=subprocess.DEVNULL)
        sys.path.insert(0, str(home / "project"))
        from lsm_torch.checkpoint.checkpoint import read
        from lsm_torch.checkpoint.paths import named_tensors

        ours = emitted(home / "project")
        weights = read(home / "run" / "checkpoints" / "final.safetensors").weights
        for path, x in named_tensors(ours).items():
            x.copy_(weights[path])
        ids = torch.randint(256, (2, 20))
        expected = theirs(ids).logits
        found = ours(ids, torch.arange(20).expand(2, 20))
        errors[name] = float((found - expected).norm() / expected.norm())
    return errors


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(main(Path(sys.argv[1]))))
