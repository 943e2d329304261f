"""python test/gpu/fused.py: the kernels around the recurrences on this GPU, against float64, fresh numbers."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "runtime" / "torch")]

#: bfloat16's own rounding is 2^-9 an element.
BAR = 1e-2
#: Of float32, whose products are of three tf32 ones.
SINGLE_BAR = 1e-5


def both(function: Callable[..., Tensor], inputs: list[Tensor]) -> list[Tensor]:
    inputs = [x.detach().requires_grad_() for x in inputs]
    y = function(*inputs)
    g = torch.Generator(device="cuda").manual_seed(7)
    weigh = torch.randn(y.shape, generator=g, device="cuda", dtype=torch.float64).to(torch.bfloat16)
    return [y, *torch.autograd.grad((y * weigh.to(y.dtype)).sum(), inputs)]


def compare(name: str, ours: Callable[..., Tensor], plain: Callable[..., Tensor], inputs: list[Tensor]) -> bool:
    expected = both(plain, [x.double() for x in inputs])
    actual = both(ours, inputs)
    errors = [float((a.double() - e).norm() / e.norm()) for a, e in zip(actual, expected, strict=True)]
    bar = SINGLE_BAR if inputs[0].dtype == torch.float32 else BAR
    good = all(error < bar for error in errors)
    print(f"{'ok' if good else 'FAILED'} {name}: {', '.join(f'{e:.1e}' for e in errors)}", flush=True)
    return good


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, device="cuda").to(torch.bfloat16)


def experts(dtype: torch.dtype) -> bool:
    """The whole mixture, without autocast: in float32 nothing of it is rounded to bfloat16."""
    from lsm_torch.nn import ExpertLinear, put, routed_swiglu, take

    time_, picks, count, width, hidden = 500, 4, 16, 256, 133
    chosen = torch.randint(count, (1, time_ * picks), device="cuda")
    order = torch.argsort(chosen, dim=1, stable=True)
    ids = chosen.gather(1, order)
    shapes = [(count, width, hidden), (count, width, hidden), (count, hidden, width)]

    def ours(x: Tensor, weights: Tensor, *matrices: Tensor) -> Tensor:
        layers = [ExpertLinear(*shape) for shape in shapes]
        for layer, matrix in zip(layers, matrices, strict=True):
            del layer.weight
            layer.weight = matrix
        return routed_swiglu(x, weights, order, ids, picks, *layers)

    def plain(x: Tensor, weights: Tensor, gate: Tensor, up: Tensor, down: Tensor) -> Tensor:
        y = torch.zeros(1, time_ * picks, width, device="cuda", dtype=x.dtype)
        rows = take(x, order // picks)
        for e in range(count):
            own = rows[ids == e]
            y = y.masked_scatter((ids == e)[..., None], (F.silu(own @ gate[e]) * (own @ up[e])) @ down[e])
        return put(order // picks, y * weights[..., None], time_)

    inputs = [torch.randn(1, time_, width), torch.rand(1, time_ * picks), *(torch.randn(s) / 16 for s in shapes)]
    return compare(f"routed_swiglu, {dtype}", ours, plain, [x.to("cuda", dtype) for x in inputs])


def muon() -> bool:
    """A step over split weights, a matrix for each of three, with a gradient that is clipped; the iteration is compared in float32."""
    from lsm_torch.train.muon import Muon
    from lsm_torch.train.orthogonal import COEFFICIENTS
    from lsm_torch.train.split import now

    axes = [{"name": name, "size": size} for name, size in (("a", 3), ("b", 200), ("c", 333))]
    spec = {"axes": axes, "decay": True, "matrix": {"batch": ["a"], "rows": ["b"], "columns": ["c"]}}
    settings = {"decay": 0.1, "muon": {"momentum": 0.95, "iterations": 5}}
    good = []
    for dtype, bar in ((torch.float32, 5e-3), (torch.bfloat16, 3e-2)):  # rounding grows 3.44 times an iteration
        weight = torch.nn.Parameter(torch.randn(3, 200, 333, device="cuda"))
        start = weight.detach().double()
        ours = Muon({"w": weight}, {"w": spec}, settings, apart={"w"}, dtype=dtype, moments=torch.float32)
        weight.grad = torch.randn(3, 200, 333, device="cuda").to(weight.dtype)
        ours.step(now(1e-2, 1, (0.9, 0.95)).cuda(), torch.tensor(0.5, device="cuda"))
        x = weight.grad.double() * 0.5 * 1.95
        x = x / x.norm(dim=(1, 2), keepdim=True)
        a, b, c = COEFFICIENTS
        for _ in range(5):
            square = x @ x.mT
            x = a * x + (b * square + c * square @ square) @ x
        step = 1e-2 * (0.2 * 333**0.5 * x + 0.1 * start)
        error = float((start - ours.master("w").double() - step).norm() / step.norm())
        good.append(error < bar)
        print(f"{'ok' if error < bar else 'FAILED'} muon, {dtype}: {error:.1e}", flush=True)
    return all(good)


def main() -> int:
    from lsm_torch.nn import (
        RMSNorm,
        attend,
        causal_conv,
        combine,
        dispatch,
        documents,
        grouped_dot,
        l2_norm,
        linear_cross_entropy,
        put,
        silu_mul,
        take,
        top_k,
    )

    torch.manual_seed(time.time_ns() % 2**31)
    time_, picks = 1000, 8
    order = torch.argsort(torch.randint(64, (1, time_ * picks), device="cuda"), dim=1, stable=True)
    weights = torch.rand(1, time_ * picks, device="cuda").to(torch.bfloat16)
    good = [
        compare(
            "dispatch and combine",
            lambda x, w: combine(dispatch(x, order, picks).tanh(), w, order, picks),
            lambda x, w: put(order // picks, take(x, order // picks).tanh() * w[..., None], time_),
            [drawn(1, time_, 1024), weights],
        ),
        compare("silu_mul", silu_mul, lambda g, u: F.silu(g) * u, [drawn(3, 1000, 896), drawn(3, 1000, 896)]),
    ]
    for shape, gates in (((3000, 1024), 0), ((3000, 8, 128), 1), ((77, 5, 48), 1)):
        layer = RMSNorm(shape[-1])

        def normed(x: Tensor, w: Tensor, *gate: Tensor, layer: RMSNorm = layer) -> Tensor:
            del layer.weight
            layer.weight = w
            with torch.autocast("cuda", torch.bfloat16):
                return layer(x, *gate)

        def plain(x: Tensor, w: Tensor, *gate: Tensor) -> Tensor:
            y = x * (x.square().mean(-1, keepdim=True) + 1e-6).rsqrt() * w
            return y * F.silu(gate[0]) if gate else y

        good.append(
            compare(f"rms_norm {shape}", normed, plain, [drawn(*shape), drawn(shape[-1]), *[drawn(*shape)] * gates])
        )
    good.append(
        compare(
            "l2_norm of silu",
            lambda x: l2_norm(x, silu=True, scale=0.1),
            lambda x: 0.1 * F.normalize(F.silu(x), dim=-1),
            [drawn(2000, 8, 128)],
        )
    )
    starts = torch.arange(700, device="cuda").repeat(2, 1)
    starts[1, 300:] = torch.arange(400, device="cuda")
    for taps, heads, width in ((4, 8, 128), (3, 3, 20)):
        inputs = [drawn(2, 700, heads, width), drawn(taps, heads, width), drawn(heads, width)]
        for how in ({}, {"silu": True}, {"silu": True, "norm": 0.3}):

            def conv(x: Tensor, w: Tensor, b: Tensor, how: dict = how) -> Tensor:
                return causal_conv(x, w, starts, offset=b, **how)

            good.append(compare(f"causal_conv {heads} x {width} {how}", conv, conv, inputs))
    scores = torch.randint(9, (3000, 64), device="cuda") / 8.0
    same = torch.equal(top_k(scores, 8), torch.sort(scores, dim=-1, descending=True, stable=True).indices[..., :8])
    print("ok top_k" if same else "FAILED top_k")
    good.append(same)
    ids = torch.randint(5, (2, 300), device="cuda").sort(1).values
    for inner, outer in ((64, 4), (12, 64), (3, 7)):  # the grouped product itself takes multiples of 8 only
        good.append(
            compare(
                f"grouped_dot {inner} to {outer}",
                lambda x, w: grouped_dot(x, w, ids),
                lambda x, w: (x[:, :, None, :] @ w[ids])[:, :, 0],
                [drawn(2, 300, inner), drawn(5, inner, outer)],
            )
        )
        good.append(
            compare(
                f"grouped_dot {inner} to {outer}, float32",
                lambda x, w: grouped_dot(x, w, ids),
                lambda x, w: (x[:, :, None, :] @ w[ids])[:, :, 0],
                [drawn(2, 300, inner).float(), torch.randn(5, inner, outer, device="cuda")],
            )
        )
    good.append(experts(torch.bfloat16))
    good.append(experts(torch.float32))
    good.append(muon())
    targets = torch.randint(30011, (1, 5000), device="cuda")
    good.append(
        compare(
            "linear_cross_entropy",
            lambda x, w: linear_cross_entropy(x, w, targets),
            lambda x, w: F.cross_entropy((x @ w)[0], targets[0], reduction="none")[None],
            [drawn(1, 5000, 256), drawn(256, 30011) / 16],
        )
    )
    positions = torch.arange(700).repeat(2, 1)
    positions[1, 300:] = torch.arange(400)
    placed = positions.cuda()
    for causal in (True, False):
        for window in (None, 50):
            call = {"scale": 0.1, "causal": causal, "window": window}

            def known(q: Tensor, k: Tensor, v: Tensor, call: dict = call) -> Tensor:
                with documents(positions, q.device):
                    return attend(q, k, v, placed, **call)

            def masked(q: Tensor, k: Tensor, v: Tensor, call: dict = call) -> Tensor:
                return attend(q, k, v, placed, **call)

            qkv = [drawn(2, 700, 4, 128), drawn(2, 700, 2, 128), drawn(2, 700, 2, 128)]
            good.append(compare(f"flash attention {call}", known, masked, qkv))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
