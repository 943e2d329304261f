"""Weights, gradients and moments parted over ranks (FSDP2, `fully_shard`), each block gathered while it computes."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor

#: Elements of an all-reduce: what is held in float32 beside the gradients.
_BUCKET = 2**26


def shard(model: nn.Module, device: torch.device, ranks: int) -> None:
    """Parts the weights along mesh axis `dp_shard`: by blocks, and what lies outside of them as one group."""
    mesh = init_device_mesh(device.type, (ranks,), mesh_dim_names=("dp_shard",))
    for blocks in (m for m in model.children() if isinstance(m, nn.ModuleList)):
        for block in blocks:
            fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    register_fsdp_forward_method(model, "losses")
    for module in model.modules():
        if isinstance(module, FSDPModule):
            module.set_gradient_divide_factor(1.0)  # every rank's loss is weighted by its share of the batch
            module.set_force_sum_reduction_for_comms(True)  # gloo knows no other


def local(x: Tensor) -> Tensor:
    """What this rank holds."""
    return x.to_local() if isinstance(x, DTensor) else x


def whole(x: Tensor) -> Tensor:
    """All of it, on every rank: all of them must ask."""
    return x.full_tensor() if isinstance(x, DTensor) else x


def parted_like(value: Tensor, like: Tensor) -> Tensor:
    value = value.to(like.device, like.dtype)
    if isinstance(like, DTensor):
        return distribute_tensor(value, like.device_mesh, like.placements)
    return value.clone()


def is_parted(tensors: dict[str, Tensor]) -> bool:
    return any(isinstance(x, DTensor) for x in tensors.values())


def sum_over_ranks(tensors: list[Tensor]) -> None:
    """All-reduces of them end to end, in float32, a bucket at a time."""
    bucket: list[Tensor] = []
    count = 0
    for x in tensors:
        if bucket and count + x.numel() > _BUCKET:
            _sum(bucket)
            bucket, count = [], 0
        bucket.append(x)
        count += x.numel()
    if bucket:
        _sum(bucket)


def _sum(tensors: list[Tensor]) -> None:
    flat = torch.cat([x.reshape(-1).float() for x in tensors])
    dist.all_reduce(flat)
    start = 0
    for x in tensors:
        x.copy_(flat[start : start + x.numel()].view_as(x))
        start += x.numel()
