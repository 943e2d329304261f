"""The fused kernels around the recurrences in Triton's interpreter, against plain torch ops in float64."""

import pytest
import torch
import torch.nn.functional as F

from lsm_torch.kernels import norm as norm_kernels
from lsm_torch.nn import (
    ExpertLinear,
    Linear,
    RMSNorm,
    causal_conv,
    combine,
    dispatch,
    grouped_dot,
    l2_norm,
    linear_cross_entropy,
    linears,
    log_sigmoid,
    put,
    routed_swiglu,
    silu_mul,
    take,
    top_k,
)
from lsm_torch.nn import loss as loss_module


def agree(actual, expected, tolerance=1e-5) -> None:
    for name, (a, e) in enumerate(zip(actual, expected, strict=True)):
        error = (a.double() - e).norm() / e.norm().clamp(min=1e-6)
        assert error < tolerance, (name, float(error))


def gradients(function, inputs, seed=3):
    """The result, and the gradients of a random weighted sum of it."""
    inputs = [x.detach().requires_grad_() for x in inputs]
    y = function(*inputs)
    g = torch.Generator().manual_seed(seed)
    weigh = torch.randn(y.shape, generator=g, dtype=torch.float64).to(y.dtype)
    return y, *torch.autograd.grad((y * weigh).sum(), inputs)


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64)


@pytest.fixture
def triton(monkeypatch: pytest.MonkeyPatch):
    torch.manual_seed(5)

    def switch(on: bool) -> None:
        monkeypatch.setenv("LSM_KERNELS", "triton" if on else "reference")

    return switch


@pytest.mark.parametrize(
    ("batch", "time", "picks", "shape"), [(1, 19, 3, (40,)), (2, 7, 2, (3, 5)), (1, 1, 1, (1300,))]
)
def test_slots(triton, batch: int, time: int, picks: int, shape: tuple[int, ...]) -> None:
    experts = torch.randint(4, (batch, time * picks))
    order = torch.argsort(experts, dim=1, stable=True)
    x, weights = drawn(batch, time, *shape), torch.rand(batch, time * picks, dtype=torch.float64)

    def ours(x, weights):
        return combine(torch.tanh(dispatch(x, order, picks)), weights, order, picks)

    def plain(x, weights):
        slots = torch.tanh(take(x, order // picks))
        return put(order // picks, slots * weights.view(*weights.shape, *[1] * len(shape)), time)

    expected = gradients(plain, [x, weights])
    triton(False)
    agree(gradients(ours, [x, weights]), expected, 1e-12)
    triton(True)
    agree(gradients(ours, [x.float(), weights.float()]), expected)


def test_silu_mul(triton) -> None:
    gate, up = drawn(3, 70, 11), drawn(3, 70, 11)
    expected = gradients(lambda g, u: F.silu(g) * u, [gate, up])
    triton(True)
    agree(gradients(silu_mul, [gate.float(), up.float()]), expected)


@pytest.mark.parametrize(("width", "k"), [(1, 1), (12, 5), (70, 8)])
def test_top_k(triton, width: int, k: int) -> None:
    x = torch.randint(4, (3, 50, width)).float()  # many ties
    x[0, 0], x[0, 1, 0], x[0, 2] = -torch.inf, torch.nan, torch.nan
    triton(False)
    expected = top_k(x, k)
    triton(True)
    assert torch.equal(top_k(x, k), expected)


def test_log_sigmoid(triton) -> None:
    x = torch.cat((10 * drawn(3, 40), torch.tensor([[0.0], [-900.0], [900.0]], dtype=torch.float64)), 1)
    for scale, least in ((1.0, None), (0.25, -3.0)):
        expected = gradients(lambda x: (scale * F.logsigmoid(x)).clamp(min=least or -torch.inf), [x])  # noqa: B023
        for kernels in (False, True):
            triton(kernels)
            agree(gradients(lambda x: log_sigmoid(x, scale, least), [x.float()]), expected)  # noqa: B023


@pytest.mark.parametrize("rows", [1, 23])
def test_linear_cross_entropy(triton, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    vocabulary = 8200  # more than one block of the kernel
    monkeypatch.setattr(loss_module, "CHUNK_ELEMENTS", {"cpu": 10 * vocabulary})
    x, weight = drawn(1, rows, 6), drawn(6, vocabulary)
    targets = torch.randint(vocabulary, (1, rows))

    def plain(x, weight):
        return F.cross_entropy((x @ weight).flatten(0, 1), targets.flatten(), reduction="none").view(1, rows)

    expected = gradients(plain, [x, weight])
    triton(True)
    agree(gradients(lambda x, w: linear_cross_entropy(x, w, targets), [x.float(), weight.float()]), expected)
    share = torch.rand(1, rows)
    for sums in (lambda y: y.sum() / 7, lambda y: (y * y).sum()):  # one gradient for all losses, and several
        function = lambda x, w: sums(plain(x, w) * share).view(1)  # noqa: B023
        ours = lambda x, w: sums(linear_cross_entropy(x, w, targets, share)).view(1)  # noqa: B023
        agree(gradients(ours, [x.float(), weight.float()]), gradients(function, [x, weight]))


def test_routed_swiglu(triton) -> None:
    time, picks, experts, width, hidden = 21, 2, 5, 24, 40
    chosen = torch.randint(experts - 1, (1, time * picks))  # the last expert has no slot
    order = torch.argsort(chosen, dim=1, stable=True)
    ids = chosen.gather(1, order)
    x, weights = drawn(1, time, width), torch.rand(1, time * picks, dtype=torch.float64)
    shapes = [(experts, width, hidden), (experts, width, hidden), (experts, hidden, width)]
    matrices = [drawn(*shape) / 4 for shape in shapes]

    def ours(x, weights, *matrices):
        layers = [ExpertLinear(experts, shape[1], shape[2]) for shape in shapes]
        for layer, matrix in zip(layers, matrices, strict=True):
            del layer.weight
            layer.weight = matrix
        return routed_swiglu(x, weights, order, ids, picks, *layers)

    def plain(x, weights, gate, up, down):
        rows = take(x, order // picks)
        h = F.silu(torch.einsum("bsd,bsdu->bsu", rows, gate[ids])) * torch.einsum("bsd,bsdu->bsu", rows, up[ids])
        y = torch.einsum("bsu,bsud->bsd", h, down[ids])
        return put(order // picks, y * weights[..., None], time)

    expected = gradients(plain, [x, weights, *matrices])
    triton(False)
    agree(gradients(ours, [x, weights, *matrices]), expected, 1e-12)
    triton(True)
    agree(gradients(ours, [x.float(), weights.float(), *[m.float() for m in matrices]]), expected)
    single = [one.float().requires_grad_() for one in (x, weights, *matrices)]
    total = ours(*single).sum()
    total.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        total.backward()


@pytest.mark.parametrize("biased", [(), (0, 2), (0, 1, 2, 3)])
def test_linears(triton, biased: tuple[int, ...]) -> None:
    """One product, and gradients of all; of which the narrow ones share theirs."""
    outer = [(3, 50), (4,), (2, 2), (130,)]
    layers = [Linear((5, 4), axes, i in biased) for i, axes in enumerate(outer)]
    inputs = [drawn(2, 7, 5, 4), *(drawn(5, 4, *axes) for axes in outer), *(drawn(*outer[i]) for i in biased)]

    def run(function):
        def put(x, *given):
            for i, layer in enumerate(layers):
                del layer.weight
                layer.weight = given[i]
                if i in biased:
                    del layer.offset
                    layer.offset = given[len(outer) + biased.index(i)]
            return torch.cat([y.flatten(2) for y in function(x, *layers)], -1)

        return put

    expected = gradients(run(lambda x, *layers: [layer(x) for layer in layers]), inputs)
    for kernels, kind in ((False, torch.float64), (True, torch.float64), (True, torch.float32)):
        triton(kernels)
        agree(gradients(run(linears), [x.to(kind) for x in inputs]), expected, 1e-12 if kind == torch.float64 else 1e-5)


@pytest.mark.parametrize("sizes", [(7, 70, 40), (1, 3, 100)])
def test_grouped_dot(triton, sizes: tuple[int, int, int]) -> None:
    """The kernel beside the loop; groups of no rows, of one and of several tiles."""
    experts, inner, outer = sizes
    ids = torch.cat((torch.zeros(90), torch.full((1,), 3), torch.full((9,), 5))).long().clamp(max=experts - 1)[None]
    x, weight = drawn(1, 100, inner), drawn(experts, inner, outer)
    expected = gradients(lambda x, w: (x[:, :, None, :] @ w[ids])[:, :, 0], [x, weight])
    triton(False)
    agree(gradients(lambda x, w: grouped_dot(x, w, ids), [x, weight]), expected, 1e-12)
    triton(True)
    agree(gradients(lambda x, w: grouped_dot(x, w, ids), [x.float(), weight.float()]), expected)


@pytest.mark.parametrize("shape", [(2, 70, 3, 9), (1, 1, 5), (2, 3, 130)])
def test_causal_conv(triton, shape: tuple[int, ...]) -> None:
    positions = torch.arange(shape[1]).repeat(shape[0], 1)
    if shape[1] > 60:
        positions[1, 60:] = torch.arange(shape[1] - 60)
        positions[0, 2:] = torch.arange(shape[1] - 2)
    x, weight = drawn(*shape), drawn(4, *shape[2:])
    inputs = [x, weight, drawn(*shape[2:])]
    for how in ({}, {"silu": True}, {"silu": True, "norm": 0.3}):

        def conv(x, w, b, how=how):
            return causal_conv(x, w, positions, offset=b, **how)

        def plain(x, w, how=how):
            y = causal_conv(x, w, positions)
            y = F.silu(y) if how else y
            return y if "norm" not in how else 0.3 * y / (y.square().sum(-1, keepdim=True) + 1e-6).sqrt()

        triton(False)
        expected = gradients(plain, inputs[:2])
        agree(gradients(lambda x, w: causal_conv(x, w, positions, **how), inputs[:2]), expected, 1e-6)  # noqa: B023
        biased = gradients(conv, inputs)
        triton(True)
        single = [one.float() for one in inputs]
        agree(gradients(lambda x, w: causal_conv(x, w, positions, **how), single[:2]), expected)  # noqa: B023
        agree(gradients(conv, single), biased)
        agree(gradients(lambda x, w, b: conv(part(x), w, b), single), biased)


def part(x: torch.Tensor) -> torch.Tensor:
    """x as a part of a wider tensor, as `linears` gives it."""
    rows = x.flatten(2)
    return torch.cat((rows, rows + 1), 2)[..., : rows.shape[2]].view(x.shape)


@pytest.mark.parametrize("kernels", [False, True])
@pytest.mark.parametrize("silu", [False, True])
def test_l2_norm(triton, silu: bool, kernels: bool) -> None:
    x = drawn(2, 3, 4, 5)

    def plain(x):
        a = F.silu(x) if silu else x
        return 0.3 * a / (a.square().sum(-1, keepdim=True) + 1e-3).sqrt()

    triton(kernels)
    for given in (lambda x: x, part):
        ours = gradients(lambda x: l2_norm(given(x), 1e-3, silu=silu, scale=0.3), [x.float()])  # noqa: B023
        agree(ours, gradients(plain, [x]))


@pytest.mark.parametrize("kernels", [False, True])
@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("rows", [(1, 1), (2, 350)])  # of these, a program of the backward pass has several blocks
def test_rms_norm(triton, monkeypatch: pytest.MonkeyPatch, rows: tuple[int, ...], gated: bool, kernels: bool) -> None:
    monkeypatch.setattr(norm_kernels, "PROGRAMS", 2)
    layer = RMSNorm((3, 20))
    inputs = [drawn(*rows, 3, 20), drawn(3, 20), *([drawn(*rows, 3, 20)] if gated else [])]

    def plain(x, weight, *gate):
        y = x / (x.square().mean((-2, -1), keepdim=True) + 1e-6).sqrt() * weight
        return y * F.silu(gate[0]) if gate else y

    def ours(x, weight, *gate):
        del layer.weight
        layer.weight = weight
        return layer(x, *gate)

    expected = gradients(plain, inputs)
    triton(kernels)
    agree(gradients(ours, [x.float() for x in inputs]), expected)
    apart = lambda x, weight, *gate: ours(part(x), weight, *map(part, gate))
    agree(gradients(apart, [x.float() for x in inputs]), expected)
