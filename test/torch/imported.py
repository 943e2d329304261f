"""Models of flash-linear-attention and of transformers as they are saved, and what they compute: one JSON line of ids and logits by name.

python test/torch/imported.py FOLDER     writes FOLDER/<name>/{config.json, model.safetensors}
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import save_file

warnings.simplefilter("ignore")

from fla import models

from fla_on_cpu import on_the_cpu

SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "vocab_size": 256}
PLAIN = {"fuse_norm": False, "fuse_cross_entropy": False}
BLOCKS = {**SIZES, **PLAIN, "num_heads": 2, "intermediate_size": 24}


def build(kind: str, **settings: Any) -> Callable[[], Any]:
    """A model; settings that fla has as defaults are left out of its config.json."""
    return lambda: getattr(models, f"{kind}ForCausalLM")(getattr(models, f"{kind}Config")(**settings))


MODELS = {
    "gla": build("GLA", **BLOCKS),
    "gla-hybrid": build(
        "GLA",
        **BLOCKS,
        norm_eps=1e-5,
        attn={
            "layers": [1],
            "num_heads": 4,
            "num_kv_heads": 2,
            "window_size": 5,
            "qkv_bias": True,
            "rope_theta": 100.0,
        },
    ),
    "delta": build("DeltaNet", **BLOCKS),
    "delta-negative": build("DeltaNet", **BLOCKS, allow_neg_eigval=True, conv_size=3, expand_v=2.0),
    "gated-delta": build("GatedDeltaNet", **BLOCKS, head_dim=8, norm_eps=1e-5),
    "delta-product": build(
        "GatedDeltaProduct", **BLOCKS, head_dim=8, num_householder=2, use_forget_gate=True, allow_neg_eigval=True
    ),
    "retnet": build("RetNet", **BLOCKS),
    "linear": build("LinearAttention", **BLOCKS, feature_map="identity"),
    "gsa": build("GSA", **BLOCKS, num_slots=5),
    "hgrn2": build("HGRN2", **{**BLOCKS, "num_hidden_layers": 3}, expand_ratio=None),
    "hgrn2-unbound": build("HGRN2", **{**BLOCKS, "num_heads": None}, expand_ratio=4, use_lower_bound=False),
    "kda": build("KDA", **BLOCKS, head_dim=8, expand_v=2.0),
    "transformer": build("Transformer", **{**BLOCKS, "intermediate_size": None}),
    "transformer-normed": build("Transformer", **BLOCKS, qk_norm=True),
    "mamba": build("Mamba", **SIZES, **PLAIN, state_size=4),
    "mamba2": build("Mamba2", **SIZES, **PLAIN, state_size=8, head_dim=4),
    "samba": build("Samba", **SIZES, **PLAIN, attn={"layers": [1], "num_heads": 2, "window_size": 6}),
    "rwkv6": build("RWKV6", **{**BLOCKS, "intermediate_size": None}, proj_low_rank_dim=4, gate_low_rank_dim=6),
    "rwkv7": build(
        "RWKV7",
        **SIZES,
        **PLAIN,
        head_dim=8,
        decay_low_rank_dim=4,
        gate_low_rank_dim=6,
        a_low_rank_dim=3,
        v_low_rank_dim=5,
    ),
}
HEADS = {**SIZES, "num_attention_heads": 4, "intermediate_size": 24}


def own(kind: str, **settings: Any) -> Callable[[], Any]:
    """A model of transformers itself."""
    return lambda: getattr(transformers, f"{kind}ForCausalLM")(getattr(transformers, f"{kind}Config")(**settings))


#: Saved by save_pretrained: in bfloat16, or in several files.
TRANSFORMERS = {
    "llama": own(
        "Llama",
        **HEADS,
        num_key_value_heads=2,
        head_dim=6,
        rope_parameters={"rope_theta": 500.0, "rope_type": "default"},
    ),
    "mistral": own("Mistral", **HEADS, num_key_value_heads=2, head_dim=None, sliding_window=5, rms_norm_eps=1e-5),
    "qwen2": own(
        "Qwen2",
        **HEADS,
        num_key_value_heads=2,
        tie_word_embeddings=True,
        use_sliding_window=True,
        sliding_window=4,
        max_window_layers=1,
    ),
    "qwen3": own("Qwen3", **HEADS, num_key_value_heads=2, head_dim=4, rms_norm_eps=1e-5),
    "mamba-transformers": own("Mamba", **SIZES, state_size=4),
    "mamba2-transformers": own("Mamba2", **SIZES, state_size=8, head_dim=4, num_heads=8, n_groups=1),
}

#: Embeddings and logits of one table: tied here, since fla 0.5.2 cannot with transformers 5.
TIED = {"delta-negative", "mamba2"}


@torch.no_grad()
def main(folder: Path) -> dict[str, Any]:
    on_the_cpu()
    found = {}
    for name, make in TRANSFORMERS.items():
        torch.manual_seed(1)
        model = make().eval()
        for x in model.parameters():
            x.add_(torch.randn_like(x), alpha=0.1)
        many = name == "qwen2"
        saved = model if many else model.bfloat16()
        saved.save_pretrained(folder / name, max_shard_size="8KB" if many else "1GB")
        found[name] = computed(type(model).from_pretrained(folder / name, dtype=torch.float32).eval())
    for name, make in MODELS.items():
        torch.manual_seed(1)
        model = make().eval()
        if name in TIED:
            model.lm_head.weight = model.get_input_embeddings().weight
            model.config.tie_word_embeddings = True
        for x in model.parameters():
            x.add_(torch.randn_like(x), alpha=0.1)  # norms are 1 and biases 0 at first
        home = folder / name
        home.mkdir(parents=True)
        weights = {key: x.contiguous() for key, x in model.state_dict().items()}
        if name in TIED:
            del weights["lm_head.weight"]
        save_file(weights, home / "model.safetensors")  # save_pretrained of fla 0.5.2 does not work with transformers 5
        (home / "config.json").write_text(model.config.to_json_string())
        found[name] = computed(model)
    return found


def computed(model: Any) -> dict[str, Any]:
    ids = torch.randint(256, (1, 20))
    return {"ids": ids[0].tolist(), "logits": model(ids, use_cache=False).logits.flatten().tolist()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(main(Path(sys.argv[1]))))
