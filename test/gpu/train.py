"""The emitted trainer against transformers' Qwen3-MoE of the same shape, in one run: tokens a second, memory, TFLOP/s.

    for m in gla gated_deltanet hybrid; do
      lsm build test/gpu/a03b-2b.lsm --target torch --train $m --out .gpu/$m; done
    python test/gpu/train.py .gpu/gla .gpu/gated_deltanet .gpu/hybrid

A step is everything that training does: tokens from the processor's memory, forward, backward, clipping, AdamW. Ours keeps
float32 weights (a bfloat16 and its lower bits), its moments as --moments says, and trains the router's losses along; the
other holds everything in bfloat16, experts by grouped_mm, SDPA, fused AdamW, and no router losses, which cost it more.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

#: Rows and tokens a row.
SIZES = [(8, 2048), (1, 16384)]
SHAPE = {"hidden_size": 1024, "num_hidden_layers": 12, "num_attention_heads": 8, "num_key_value_heads": 8}
SHAPE |= {"head_dim": 128, "num_experts": 64, "num_experts_per_tok": 8, "moe_intermediate_size": 896}
SHAPE |= {"vocab_size": 151936, "intermediate_size": 896, "tie_word_embeddings": False, "norm_topk_prob": True}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("projects", nargs="*", type=Path)
    parser.add_argument("--sizes", nargs="*", default=[f"{b}x{t}" for b, t in SIZES])
    parser.add_argument("--peer-sizes", nargs="*", help="by default the same")
    parser.add_argument("--moments", nargs="*", default=["fp32", "bf16"])
    parser.add_argument("--recompute", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--graph", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--accumulate", type=int, default=1)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--profile", type=Path, help="a folder for the profile of one step of each")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--shape", type=json.loads, default={}, help="of the peer, where it is not A0.3B-2B's")
    return parser.parse_args()


def drawn(rows: int, length: int, vocabulary: int) -> Any:
    from lsm_torch.data.rows import Batch

    tokens = torch.randint(vocabulary, (rows, length + 1))
    positions = torch.arange(length).repeat(rows, 1)
    return Batch(tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous(), torch.ones(rows, length), positions)


def ours(folder: Path, o: argparse.Namespace, moments: str) -> tuple[Callable[[int, int], Any], float]:
    """A step at some size, and FLOPs a token."""
    from lsm_torch.train.initialise import initialise
    from lsm_torch.train.main import prepare
    from lsm_torch.train.optimizer import optimizer_of
    from lsm_torch.train.project import Project
    from lsm_torch.train.step import Stepper

    project = Project.read(folder)
    spec = importlib.util.spec_from_file_location(f"model_{folder.name}", folder / "model.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    device = torch.device(o.device)
    with device:
        model = getattr(module, project.config["model"])()
    prepare(model, o)
    settings = project.config["train"]["optimizer"]
    dtype = torch.bfloat16 if moments == "bf16" else torch.float32
    from lsm_torch.checkpoint.paths import named_tensors

    tensors = named_tensors(model)
    for one in project.parameters:
        initialise(tensors[one["path"]].data, one, 1)
    optimizer = optimizer_of(model, project.parameters, settings, split=True, dtype=torch.bfloat16, moments=dtype)
    stepper = Stepper(model, optimizer, 1.0, o.accumulate, torch.bfloat16, device, graphs=o.graph)
    vocabulary = project.config["vocabulary"]
    count = 0

    def step(rows: int, length: int) -> Callable[[], float]:
        nonlocal count
        count += 1
        result = stepper.begin(drawn(rows, length, vocabulary), count, settings["lr"])
        return lambda: result().loss

    return step, 6.0 * project.config["activated"]


def peer(o: argparse.Namespace) -> tuple[Callable[[int, int], Any], float]:
    from transformers import Qwen3MoeConfig, Qwen3MoeForCausalLM

    shape = SHAPE | o.shape
    config = Qwen3MoeConfig(**shape, max_position_embeddings=2**17, use_cache=False, rope_theta=10000.0)
    config._attn_implementation = "sdpa"
    config._experts_implementation = "grouped_mm"
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    with torch.device(o.device):
        model = Qwen3MoeForCausalLM(config)
    torch.set_default_dtype(before)
    print(f"peer: {model.config._attn_implementation}, {model.config._experts_implementation}, {model.dtype}")
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True)

    def step(rows: int, length: int) -> Callable[[], float]:
        tokens = torch.randint(shape["vocab_size"], (rows, length)).to(o.device, non_blocking=True)
        loss = model(input_ids=tokens, labels=tokens).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        value = loss.detach()  # and nothing of its graph
        return lambda: float(value)

    count = sum(p.numel() for p in model.parameters())
    experts = sum(p.numel() for name, p in model.named_parameters() if ".experts." in name)
    picked = experts * shape["num_experts_per_tok"] / shape["num_experts"]
    return step, 6.0 * (count - experts + picked - shape["vocab_size"] * shape["hidden_size"])


def measure(
    name: str, step: Callable[[int, int], Any], flops: float, size: str, o: argparse.Namespace
) -> dict[str, Any]:
    rows, length = map(int, size.split("x"))
    on_gpu = o.device.startswith("cuda")
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    begin = time.perf_counter()
    for _ in range(4):  # of which the third is recorded
        waiting = step(rows, length)
        waiting()
    finish(on_gpu)
    first = time.perf_counter() - begin
    seconds = []
    processor = time.process_time()
    for _ in range(3):  # of several steps each: the processor may run ahead within one
        begin = time.perf_counter()
        for _ in range(o.steps):
            loss = step(rows, length)
            before, waiting = waiting, loss
            before()  # one step behind, as in training
        finish(on_gpu)
        seconds.append((time.perf_counter() - begin) / o.steps)
    processor = (time.process_time() - processor) / (3 * o.steps)
    rate = rows * length / statistics.median(seconds)
    found = {"name": name, "size": size, "tokens/s": round(rate), "TFLOP/s": round(rate * flops / 1e12, 1)}
    found |= {
        "spread": round(max(seconds) / min(seconds), 3),
        "warm-up s": round(first, 1),
        "processor ms": round(1e3 * processor, 1),
        "loss": round(loss(), 3),
    }
    if on_gpu:
        found["GiB"] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
        found["reserved GiB"] = round(torch.cuda.max_memory_reserved() / 2**30, 2)
    if o.profile and size == o.sizes[0]:
        profile(name, lambda: step(rows, length), o)
    print(json.dumps(found), flush=True)
    return found


def finish(on_gpu: bool) -> None:
    if on_gpu:
        torch.cuda.synchronize()


def profile(name: str, step: Callable[[], Any], o: argparse.Namespace) -> None:
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as profiler

    activities = [ProfilerActivity.CPU, ProfilerActivity.CUDA]
    with profiler(activities=activities if o.device != "cpu" else activities[:1], record_shapes=True) as found:
        step()
        finish(o.device != "cpu")
    kernels: dict[str, list[float]] = {}
    for event in found.events():
        if event.device_type == torch.autograd.DeviceType.CUDA:
            kernels.setdefault(event.name, []).append(event.device_time)
    o.profile.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{sum(t) / 1e3:9.3f} ms {len(t):6d} × {kernel[:150]}"
        for kernel, t in sorted(kernels.items(), key=lambda item: -sum(item[1]))
    ]
    total = sum(sum(t) for t in kernels.values()) / 1e3
    busy = f"{total:.1f} ms of kernels, {sum(map(len, kernels.values()))} of them"
    table = found.key_averages(group_by_input_shape=True).table(sort_by="self_device_time_total", row_limit=60)
    (o.profile / f"{name.replace(', ', '-').replace(' ', '-')}.txt").write_text("\n".join([busy, *lines, "", table]))
    print(f"{name}: {busy}", *lines[:30], sep="\n  ", flush=True)


def main() -> int:
    o = options()
    if o.projects:
        sys.path.insert(0, str(o.projects[0].resolve()))
    torch.manual_seed(0)
    if o.device.startswith("cuda"):
        torch.set_float32_matmul_precision("high")
    found = []
    jobs = [] if o.no_peer else [("Qwen3-MoE", lambda: peer(o), o.peer_sizes or o.sizes)]
    for folder in o.projects:
        for moments in o.moments:
            jobs.append((f"{folder.name}, {moments} moments", lambda f=folder, m=moments: ours(f, o, m), o.sizes))
    for name, build, sizes in jobs:
        step, flops = build()
        for size in sizes:
            try:
                found.append(measure(name, step, flops, size, o))
            except torch.OutOfMemoryError as error:
                print(f"{name} {size}: out of memory: {str(error)[:120]}", flush=True)
        del step
        gc.collect()
        if o.device.startswith("cuda"):
            torch.cuda.empty_cache()
    print("| model | rows × tokens | tokens/s | | TFLOP/s | peak GiB | |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    base = {one["size"]: one for one in found if one["name"] == "Qwen3-MoE"}
    for one in found:
        theirs = base.get(one["size"], {})
        faster = f"{one['tokens/s'] / theirs['tokens/s']:.2f}×" if theirs else ""
        less = f"{one['GiB'] / theirs['GiB']:.2f}×" if "GiB" in theirs else ""
        print(
            f"| {one['name']} | {one['size'].replace('x', ' × ')} | {one['tokens/s']:,} | {faster} | {one['TFLOP/s']} |"
            f" {one.get('GiB', '')} | {less} |"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
