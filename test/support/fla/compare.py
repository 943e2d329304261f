"""Compares operators with the naive references of flash-linear-attention: outputs and gradients.

Reads {operator: {shapes, operands, cotangent, o, gradients}} as JSON from the file named first; prints
{operator: {name: relative error}}. Naive modules are loaded from their files: the package's own __init__ needs a GPU.
"""

import importlib.util
import json
import sys

import torch


def naive(path):
    base = importlib.util.find_spec("fla").submodule_search_locations[0]
    spec = importlib.util.spec_from_file_location("naive", f"{base}/ops/{path}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def heads_first(*xs):
    return [x.transpose(1, 2) for x in xs]


def interleaved(*xs):
    """Micro-steps of a token one after another along time."""
    return torch.stack(xs, 2).flatten(1, 2)


def based(x):
    o = naive("based/naive").naive_parallel_based(*heads_first(x["q"], x["k"], x["v"]), use_norm=False)
    return o.transpose(1, 2)


def rebased(x):
    o = naive("rebased/naive").naive_parallel_rebased(*heads_first(x["q"], x["k"], x["v"]), use_norm=False)
    return o.transpose(1, 2)


def retention(x):
    return naive("retention/naive").naive_retention(*heads_first(x["q"], x["k"], x["v"])).transpose(1, 2)


def delta_rule(x):
    q, k, v, b = heads_first(x["q"], x["k"], x["v"], x["b"])
    return naive("delta_rule/naive").delta_rule_recurrence(q, k, v, b)[0].transpose(1, 2)


def dplr(x):
    q, k, v, a, b, g = heads_first(x["q"], x["k"], x["v"], x["a"], x["b"], x["g"])
    ops = naive("generalized_delta_rule/dplr/naive")
    return ops.dplr_recurrence(q, k, v, a, -0.5 * b, g)[0].transpose(1, 2)


def rwkv6(x):
    q, k, v, g = heads_first(x["q"], x["k"], x["v"], x["g"])
    u = 0.1 * (1 + torch.arange(q.shape[-1], dtype=q.dtype)).expand(q.shape[1], -1)
    return naive("rwkv6/recurrent_naive").naive_recurrent_rwkv6(q, k, v, g, u)[0].transpose(1, 2)


def gated_delta_product(x):
    k, v = interleaved(x["k"], x["k2"]), interleaved(x["v"], x["v2"])
    b = interleaved(x["b"], x["b2"])
    ops = naive("gated_delta_product/naive")
    scaled = ops.naive_recurrent_gated_delta_product(x["q"], k, v, x["g"], b, 1.0, None, num_householder=2)
    return scaled[0]


def hgrn2(x):
    k = 1 - x["g"].exp()
    return naive("gla/naive").naive_recurrent_gla(x["q"], k, x["v"], x["g"])[0]


def lightning(x):
    """The package's lightning attention is its simple_gla with slopes of its own, for a layer of index 1 of 4."""
    heads = x["q"].shape[2]
    g = -(8 / heads * (1 - 1 / 4)) * torch.arange(heads, dtype=x["q"].dtype)
    gates = g.expand(*x["q"].shape[:3])
    return naive("simple_gla/naive").naive_recurrent_simple_gla(x["q"], x["k"], x["v"], gates)[0]


def iplr(x):
    q, k, v, a, b = heads_first(x["q"], x["k"], x["v"], x["a"], x["b"])
    return naive("generalized_delta_rule/iplr/naive").iplr_recurrence(q, k, v, a, -0.5 * b)[0].transpose(1, 2)


def abc(x):
    q, k, v, s = heads_first(x["q"], x["k"], x["v"], x["s"])
    return naive("abc/naive").naive_cumsum_abc(q, k, v, s)[0].transpose(1, 2)


def norm_parameters(x, gain):
    i = torch.arange(x.shape[-1], dtype=x.dtype)
    return [p.expand(x.shape[2], -1) for p in (gain + 0.1 * i, 0.2 - 0.1 * i)]


def ttt_linear(x):
    q, k, v = (x[name] * 1.0 for name in "qkv")  # the reference scales q in place
    w, b = norm_parameters(q, 1.0)
    rate = torch.full_like(q[..., :1], 0.3)
    return naive("ttt/naive").chunk_ttt_linear_ref(q, k, v, w, b, rate, mini_batch_size=8)[0]


def titans_linear(x):
    """The package scales gradients by 2; rates of 0.01 keep its steps, which its missing division makes large, finite."""
    w, b = norm_parameters(x["q"], 0.3)
    rates = (0.01 * x["theta"], x["alpha"], x["eta"])
    ops = naive("titans/naive")
    q, k, v, theta, alpha, eta = heads_first(x["q"], x["k"], x["v"], *(rate.unsqueeze(-1) for rate in rates))
    return ops.titans_linear(q, k, v, w, b, theta, alpha, eta, 0.1, 8, None, False)[0].transpose(1, 2)


references = {
    "linear_attn": lambda x: naive("linear_attn/naive").naive_recurrent_linear_attn(x["q"], x["k"], x["v"])[0],
    "retention": retention,
    "simple_gla": lambda x: naive("simple_gla/naive").naive_recurrent_simple_gla(x["q"], x["k"], x["v"], x["g"])[0],
    "gla": lambda x: naive("gla/naive").naive_recurrent_gla(x["q"], x["k"], x["v"], x["g"])[0],
    "hgrn": lambda x: naive("hgrn/naive").naive_recurrent_hgrn(x["v"], x["g"])[0],
    "rwkv6": rwkv6,
    "gsa": lambda x: naive("gsa/naive").naive_recurrent_gsa(x["q"], x["k"], x["v"], x["s"], x["g"])[0],
    "delta_rule": delta_rule,
    "gated_delta_rule": lambda x: naive("gated_delta_rule/naive").naive_recurrent_gated_delta_rule(
        x["q"], x["k"], x["v"], x["b"], x["g"]
    )[0],
    "kda": lambda x: naive("kda/naive").naive_recurrent_kda(x["q"], x["k"], x["v"], x["g"], x["b"])[0],
    "comba": lambda x: naive("comba/naive").naive_chunk_comba(
        x["q"], x["k"], x["v"], x["p"], x["g"], x["b"], chunk_size=8
    )[0],
    "gated_delta_product": gated_delta_product,
    "dplr": dplr,
    "based": based,
    "rebased": rebased,
    "hgrn2": hgrn2,
    "lightning": lightning,
    "gated_delta_rule_2": lambda x: naive("gdn2/naive").naive_recurrent_gdn2(
        x["q"], x["k"], x["v"], x["g"], x["b"], x["w"]
    )[0],
    "iplr": iplr,
    "abc": abc,
    "ttt_linear": ttt_linear,
    "titans_linear": titans_linear,
}


def error(actual, expected):
    return ((actual - expected).norm() / expected.norm().clamp_min(1e-6)).item()


def main():
    with open(sys.argv[1]) as file:
        cases = json.load(file)
    missing = set(references) ^ set(cases)
    if missing:
        sys.exit(f"operators on one side only: {sorted(missing)}")
    errors = {}
    for name, case in cases.items():

        def given(key, values, shapes=case["shapes"]):
            return torch.tensor(values, dtype=torch.float32).reshape(shapes[key])

        operands = {k: given(k, v).requires_grad_() for k, v in case["operands"].items()}
        o = references[name](operands)
        o.backward(given("do", case["cotangent"]))
        found = {"o": error(o.detach(), given("do", case["o"]))}
        for key, x in operands.items():
            found[f"d{key}"] = error(x.grad, given(key, case["gradients"][key]))
        errors[name] = found
    print(json.dumps(errors))


main()
