"""Peer: the same model in PyTorch, eager, on the CPU, as one writes it by hand.

Gated linear attention in its chunkwise form (Yang et al., 2023, section 4): inside a chunk of 32 tokens with c the
running sum of log alpha, scores are (q e^c)(k e^-c)^T under the causal mask; states pass from chunk to chunk.
Experts run one after the other on the tokens that chose them. Fused AdamW, two threads.
"""

import json
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHUNK = 32


class RMSNorm(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight, 1e-6)


def chunk_gla(q: Tensor, k: Tensor, v: Tensor, g: Tensor) -> Tensor:
    """q, k, g: [B, H, T, K]; v: [B, H, T, V]; g is log alpha. Gives [B, H, T, V]."""
    q, k, v, g = (x.unflatten(2, (-1, CHUNK)) for x in (q, k, v, g))
    c = g.cumsum(-2)
    last = c[..., -1:, :]
    decayed_q = q * c.exp()
    scores = (decayed_q @ (k * (-c).exp()).mT).tril()
    added = (k * (last - c).exp()).mT @ v
    decay = last.exp().mT
    state = torch.zeros_like(added[:, :, 0])
    states = []
    for n in range(q.shape[2]):
        states.append(state)
        state = torch.addcmul(added[:, :, n], state, decay[:, :, n])
    return (scores @ v + decayed_q @ torch.stack(states, 2)).flatten(2, 3)


class GLA(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        key = width // 2
        self.q = nn.Linear(width, key, bias=False)
        self.k = nn.Linear(width, key, bias=False)
        self.v = nn.Linear(width, width, bias=False)
        self.down = nn.Linear(width, 16, bias=False)
        self.up = nn.Linear(16, key)
        self.gate = nn.Linear(width, width, bias=False)
        self.norm = RMSNorm(width // heads)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        def split(y: Tensor) -> Tensor:
            return y.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        q = split(self.q(x))
        q = q * q.shape[-1] ** -0.5
        g = F.logsigmoid(split(self.up(self.down(x)))) / 16
        o = chunk_gla(q, split(self.k(x)), split(self.v(x)), g)
        o = self.norm(o).transpose(1, 2).flatten(2)
        return self.out(o * F.silu(self.gate(x)))


class SwiGLU(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width, hidden, bias=False)
        self.up = nn.Linear(width, hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.silu(self.gate(x)) * self.up(x))


class MoE(nn.Module):
    def __init__(self, width: int, hidden: int, experts: int, top_k: int) -> None:
        super().__init__()
        self.top_k = top_k
        self.router = nn.Linear(width, experts, bias=False)
        self.experts = nn.ModuleList(SwiGLU(width, hidden) for _ in range(experts))

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.flatten(0, -2)
        weights, chosen = self.router(tokens).softmax(-1).topk(self.top_k, -1)
        weights = weights / weights.sum(-1, keepdim=True)
        out = torch.zeros_like(tokens)
        for e, expert in enumerate(self.experts):
            rows, slots = torch.where(chosen == e)
            out.index_add_(0, rows, expert(tokens[rows]) * weights[rows, slots, None])
        return out.view_as(x)


class Block(nn.Module):
    def __init__(self, case: dict) -> None:
        super().__init__()
        width, hidden = case["width"], case["hidden"]
        self.mixer_norm = RMSNorm(width)
        self.mixer = GLA(width, case["heads"])
        self.ffn_norm = RMSNorm(width)
        self.ffn = MoE(width, hidden, case["experts"], case["topK"]) if case["experts"] else SwiGLU(width, hidden)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mixer(self.mixer_norm(x))
        return x + self.ffn(self.ffn_norm(x))


class Model(nn.Module):
    def __init__(self, case: dict) -> None:
        super().__init__()
        width, vocabulary = case["width"], case["vocabulary"]
        self.table = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList(Block(case) for _ in range(case["blocks"]))
        self.norm = RMSNorm(width)
        self.logits = nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens: Tensor, targets: Tensor) -> Tensor:
        x = self.table(tokens)
        for block in self.blocks:
            x = block(x)
        return F.cross_entropy(self.logits(self.norm(x)).flatten(0, 1), targets.flatten())


# Names of the compiled model's parameters, where they differ from this one's.
RENAMED = {"mixer.a.down": "mixer.down", "mixer.a.up": "mixer.up", "out.rmsnorm": "norm", "out.linear": "out"}


def load(model: Model, folder: Path) -> None:
    values = torch.frombuffer(bytearray((folder / "weights.bin").read_bytes()), dtype=torch.float32)
    own = dict(model.named_parameters())
    for path, stored in json.loads((folder / "weights.json").read_text()).items():
        size = torch.Size(stored["shape"])
        value = values[stored["offset"] : stored["offset"] + size.numel()].view(size)
        name = path.replace("offset", "bias")
        for theirs, ours in RENAMED.items():
            name = name.replace(theirs, ours)
        if name == "table":
            name = "table.weight"
        if ".routed." in name:  # [experts, inputs, outputs]
            before, after = name.split("routed.")
            for e, one in enumerate(value):
                own.pop(f"{before}experts.{e}.{after}").data.copy_(one.mT)
            continue
        target = own.pop(name)
        linear = target.dim() == 2 and name != "table.weight"
        # ours keeps the axes of heads apart and has the inputs first
        target.data.copy_(value.reshape(target.shape[::-1]).mT if linear else value.reshape(target.shape))
    assert not own, f"not in the file: {list(own)}"


def main() -> None:
    folder = Path(sys.argv[1])
    torch.set_num_threads(int(sys.argv[2]))
    case = json.loads((folder / "case.json").read_text())
    model = Model(case)
    load(model, folder)
    options = case["optimizer"]
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=options["lr"],
        betas=tuple(options["betas"]),
        eps=options["epsilon"],
        weight_decay=options["decay"],
        fused=True,
    )
    ids = torch.frombuffer(bytearray((folder / "ids.bin").read_bytes()), dtype=torch.int32).long()
    tokens, targets = ids.view(2, case["batch"], case["time"])
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "end":
            break
        wall, cpu = time.perf_counter(), time.process_time()
        optimizer.zero_grad(set_to_none=True)
        loss = model(tokens, targets)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), case["clip"])
        optimizer.step()
        value = loss.item()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(json.dumps({"loss": value, "wall": wall, "cpu": cpu}), flush=True)


if __name__ == "__main__":
    main()
