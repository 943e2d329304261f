"""The Triton kernels in Triton's interpreter against the definition, float32: values, final state, every gradient."""

import pytest
import torch

from definition import Case, definition, definition_of_delta, draw, floats, leaves
from lsm_torch.ops import delta_rule, recurrence

CASES = [
    Case("sum", time=70, batch=1),
    Case("sum, two writes, read before, documents", 1, 40, writes=2, read="before", documents="positions"),
    Case("sum, wide, documents", 1, 70, 1, 72, 66, documents="positions"),
    Case("fixed decay a head", 1, decay="head", shared_queries=True, key=17),
    Case("scalar decay, documents", decay="scalar", time=130, heads=1, documents="positions"),
    Case("scalar decay, cu_seqlens", decay="scalar", time=90, heads=1, documents="cu_seqlens"),
    Case("scalar decay, strong, read before", 1, 70, decay="scalar", strength=20.0, read="before"),
    Case("key decay", 1, 70, decay="key"),
    Case("key decay, read before, documents", heads=1, decay="key", read="before", documents="positions"),
    Case("key decay, strong, two writes", 1, 20, 1, decay="key", strength=30.0, writes=2, initial=False),
    Case("key decay, cu_seqlens", heads=1, decay="key", documents="cu_seqlens"),
    Case("value decay", heads=1, decay="value", documents="positions"),
    Case("value decay, read before, strong", 1, 20, 1, decay="value", strength=30.0, read="before"),
    Case(
        "scalar decay, wide, documents, read before",
        1,
        70,
        1,
        72,
        66,
        decay="scalar",
        documents="positions",
        read="before",
    ),
    Case("scalar decay, wide, two writes", 1, 40, 1, 66, 72, decay="scalar", writes=2),
    Case("key decay, wide, documents", 1, 70, 1, 72, 66, decay="key", documents="positions"),
    Case("key decay, wide, strong, read before", 1, 20, 1, 66, 70, decay="key", strength=30.0, read="before"),
    Case("value decay, wide", 1, 70, 1, 66, 72, decay="value"),
    Case("one token", time=1, decay="key"),
    Case("erase", erases=1, time=70, batch=1),
    Case("erase, scalar decay, documents", erases=1, decay="scalar", time=70, heads=1, documents="positions"),
    Case("erase, scalar decay, cu_seqlens", erases=1, decay="scalar", heads=1, documents="cu_seqlens"),
    Case("erase, key decay", 1, 40, 1, erases=1, decay="key"),
    Case("erase, strong key decay, read before", 1, 20, 1, erases=1, decay="key", strength=30.0, read="before"),
    Case("two erases, two writes", 1, 20, 1, erases=2, writes=2, decay="key", documents="positions"),
]


def gradients(function, arguments: dict, dtype: torch.dtype, weigh_state: bool) -> dict[str, torch.Tensor]:
    arguments = leaves(arguments, dtype)
    o, state = function(**arguments)
    g = torch.Generator().manual_seed(7)
    loss = (o * torch.randn(o.shape, generator=g, dtype=torch.float64).to(o.dtype)).sum()
    if weigh_state:
        loss = loss + (state * torch.randn(state.shape, generator=g, dtype=torch.float64).to(state.dtype)).sum()
    named = floats(arguments)
    found = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    return {"o": o, "state": state, "q": arguments["q"].detach()} | {
        f"d{name}": torch.zeros_like(named[name]) if x is None else x for name, x in zip(named, found, strict=True)
    }


def compare(expected: dict[str, torch.Tensor], actual: dict[str, torch.Tensor]) -> None:
    """Float32's bar is 1e-4. A decay's gradient is the difference of suffix sums of q∘dq and k∘dk: where strong decays leave
    little of it, its error is held against those."""
    for name, value in expected.items():
        scale = value.norm().clamp(min=1e-6)
        if name == "dlog_decay":
            scale = torch.maximum(scale, (expected["q"] * expected["dq"]).norm())
        error = (actual[name].double() - value).norm() / scale
        assert error < 1e-4, f"{name}: relative error {error:.2e}"


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_triton_is_the_definition(case: Case) -> None:
    x = draw(case, seed=len(case.name), dtype=torch.float32)
    weigh = case.initial
    expected = gradients(definition, x, torch.float64, weigh)
    actual = gradients(lambda **y: recurrence(**y, return_state=True, kernels="triton"), x, torch.float32, weigh)
    compare(expected, actual)


def test_shards_of_time_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from lsm_torch.kernels import schedule

    monkeypatch.setattr(schedule, "processors", lambda device: 4)
    monkeypatch.setattr(schedule, "SHARD_CHUNKS", 2)
    for decay, width in (("scalar", 8), ("key", 8), ("none", 72), ("scalar", 72), ("key", 72)):
        packed = "none" if decay == "key" else "positions"
        case = Case(decay, batch=1, time=270, heads=1, key=width, value=width, decay=decay, documents=packed)
        x = draw(case, seed=5, dtype=torch.float32)
        expected = gradients(definition, x, torch.float64, True)
        actual = gradients(lambda **y: recurrence(**y, return_state=True, kernels="triton"), x, torch.float32, True)
        compare(expected, actual)


@pytest.mark.parametrize("decay", ["none", "scalar", "key"])
@pytest.mark.parametrize("own_erase_key", [False, True])
def test_delta_rule_is_the_definition(decay: str, own_erase_key: bool) -> None:
    x = draw(Case(decay, time=70, heads=1, decay=decay, documents="positions", delta=True), seed=8, dtype=torch.float32)
    if own_erase_key:
        x["erase_key"] = torch.nn.functional.normalize(torch.randn_like(x["k"]), dim=-1)
    expected = gradients(definition_of_delta, x, torch.float64, True)
    for kernels in ("reference", "triton"):
        got = gradients(
            lambda which=kernels, **y: delta_rule(**y, return_state=True, kernels=which), x, torch.float32, True
        )
        compare(expected, got)


def test_delta_rule_is_the_definition_with_decays_that_are_no_products_of_factors() -> None:
    case = Case("key", 1, 20, 1, 40, 36, decay="key", strength=30.0, delta=True)
    x = draw(case, seed=8, dtype=torch.float32)
    expected = gradients(definition_of_delta, x, torch.float64, True)
    compare(
        expected, gradients(lambda **y: delta_rule(**y, return_state=True, kernels="triton"), x, torch.float32, True)
    )


def test_delta_rule_writes_one_key_again_and_again() -> None:
    """Every row erases all that the rows before wrote, or nothing: the system's inverse at its largest, and beta at its ends."""
    x = draw(Case("scalar", time=70, heads=1, decay="scalar", delta=True), seed=9, dtype=torch.float32)
    x["k"] = x["k"][:, :1].expand_as(x["k"]).clone()
    x["beta"] = torch.tensor([1.0, 1.0, 0.0, 2.0]).repeat(18)[:70].view(1, 70, 1).expand_as(x["beta"]).clone()
    expected = gradients(definition_of_delta, x, torch.float64, True)
    compare(
        expected, gradients(lambda **y: delta_rule(**y, return_state=True, kernels="triton"), x, torch.float32, True)
    )


def test_flop_counters_see_the_operators() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    for function, case in (
        (recurrence, Case("key", 1, 20, 1, decay="key")),
        (delta_rule, Case("delta", 1, 20, 1, delta=True)),
    ):
        x = leaves(draw(case, seed=1, dtype=torch.float32))
        with FlopCounterMode(display=False) as counter:
            function(**x, kernels="triton").sum().backward()
        kinds = {str(op) for op in counter.get_flop_counts()["Global"]}
        assert len([kind for kind in kinds if kind.startswith("lsm.")]) == 2, kinds
