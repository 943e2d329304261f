"""flash-linear-attention's models without a GPU: its own naive recurrences and torch's norms, convolutions and rotations in place of its kernels."""

from __future__ import annotations

from typing import Any

import fla.layers.attn
import fla.layers.delta_net
import fla.layers.gated_deltanet
import fla.layers.gated_deltaproduct
import fla.layers.gla
import fla.layers.gsa
import fla.layers.hgrn2
import fla.layers.kda
import fla.layers.linear_attn
import fla.layers.multiscale_retention
import fla.layers.rwkv6
import fla.layers.rwkv7
import fla.models.rwkv6.modeling_rwkv6
import fla.models.rwkv7.modeling_rwkv7
import torch
import torch.nn.functional as F
from fla.modules import FusedRMSNormGated, GroupNorm, LayerNorm, RMSNorm, ShortConvolution
from fla.modules.activations import ACT2FN
from fla.modules.feature_map import SwishFeatureMap
from fla.modules.layernorm_gated import RMSNormGated
from fla.modules.mlp import GatedMLP
from fla.modules.rotary import RotaryEmbedding
from fla.ops.delta_rule.naive import delta_rule_recurrence
from fla.ops.gated_delta_rule.naive import naive_recurrent_gated_delta_rule
from fla.ops.generalized_delta_rule.dplr.naive import dplr_recurrence
from fla.ops.gla.naive import naive_recurrent_gla
from fla.ops.gsa.naive import naive_recurrent_gsa
from fla.ops.kda.naive import naive_recurrent_kda
from fla.ops.linear_attn.naive import naive_recurrent_linear_attn
from fla.ops.retention.naive import naive_retention
from fla.ops.rwkv6.recurrent_naive import naive_recurrent_rwkv6
from fla.ops.rwkv7.fused_k_update import k_update_ref
from fla.ops.rwkv7.gate_output_correction import gate_output_correction_ref
from torch import Tensor


def unit(x: Tensor) -> Tensor:
    return x * (x.square().sum(-1, keepdim=True) + 1e-6).rsqrt()


def heads_first(*xs: Tensor) -> list[Tensor]:
    return [x.transpose(1, 2) for x in xs]


def gla_op(q: Tensor, k: Tensor, v: Tensor, gk: Tensor, **_: Any) -> Any:
    return naive_recurrent_gla(q, k, v, gk)[0], None


def retention_op(q: Tensor, k: Tensor, v: Tensor, **_: Any) -> Any:
    return naive_retention(*heads_first(q, k, v)).transpose(1, 2), None


def linear_op(q: Tensor, k: Tensor, v: Tensor, normalize: bool, **_: Any) -> Any:
    return naive_recurrent_linear_attn(q, k, v, normalize=normalize)[0], None


def gsa_op(q: Tensor, k: Tensor, v: Tensor, s: Tensor, g: Tensor, scale: float, **_: Any) -> Any:
    return naive_recurrent_gsa(q, k, v, s, g, scale)[0], None


def delta_op(q: Tensor, k: Tensor, v: Tensor, beta: Tensor, **_: Any) -> Any:
    return delta_rule_recurrence(*heads_first(unit(q), unit(k), v, beta))[0].transpose(1, 2), None


def gated_op(
    q: Tensor, k: Tensor, v: Tensor, g: Tensor, beta: Tensor, allow_neg_eigval: bool = False, **rest: Any
) -> Any:
    if "A_log" in rest:
        g, beta = -rest["A_log"].exp() * F.softplus(g + rest["dt_bias"]), beta.sigmoid()
    beta = 2 * beta if allow_neg_eigval else beta
    return naive_recurrent_gated_delta_rule(unit(q), unit(k), v, beta, g)[0], None


def kda_op(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    g: Tensor,
    beta: Tensor,
    A_log: Tensor,
    dt_bias: Tensor,
    allow_neg_eigval: bool,
    **_: Any,
) -> Any:
    g = -A_log.exp()[:, None] * F.softplus(g + dt_bias.view(g.shape[-2:]))
    beta = beta.sigmoid() * (2 if allow_neg_eigval else 1)
    return naive_recurrent_kda(unit(q), unit(k), v, g, beta)[0], None


def rwkv6_op(r: Tensor, k: Tensor, v: Tensor, w: Tensor, u: Tensor, scale: float, **_: Any) -> Any:
    return naive_recurrent_rwkv6(*heads_first(r, k, v, w), u, scale)[0].transpose(1, 2), None


def rwkv7_op(r: Tensor, w: Tensor, k: Tensor, v: Tensor, kk: Tensor, a: Tensor, **_: Any) -> Any:
    scaled = r * r.shape[-1] ** 0.5  # the reference divides by it
    return dplr_recurrence(*heads_first(scaled, k, v, -kk, kk * a, w))[0].transpose(1, 2), None


def shifted(x: Tensor, *_: Any, output_cache: bool = False, **__: Any) -> Any:
    delta = F.pad(x, (0, 0, 1, -1)) - x
    return (delta, None) if output_cache else delta


def mixtures(x: Tensor, delta: Tensor, *shares: Tensor) -> list[Tensor]:
    return [x + delta * share for share in shares]


def short_conv(self: Any, x: Tensor, **_: Any) -> Any:
    taps = self.weight.shape[-1]
    y = F.conv1d(F.pad(x.transpose(1, 2), (taps - 1, 0)), self.weight, groups=x.shape[-1])
    return F.silu(y.transpose(1, 2)), None


def gated_norm(self: Any, x: Tensor, g: Tensor) -> Tensor:
    gate = g.sigmoid() if self.activation == "sigmoid" else F.silu(g)
    return F.rms_norm(x, x.shape[-1:], self.weight, self.eps) * gate


def norm_linear(x: Tensor, gain: Tensor, bias: Tensor, weight: Tensor, *_: Any, eps: float = 1e-5, **__: Any) -> Tensor:
    assert bias is None
    return F.linear(F.rms_norm(x, x.shape[-1:], gain, eps), weight)


def rotated(self: Any, q: Tensor, k: Tensor, **_: Any) -> tuple[Tensor, Tensor]:
    half = q.shape[-1] // 2
    rates = self.base ** (-torch.arange(half, dtype=torch.float32) / half)
    angle = (torch.arange(q.shape[1])[:, None] * rates)[:, None]  # [T, 1, half]

    def turn(x: Tensor) -> Tensor:
        a, b = x[..., :half], x[..., half:]
        return torch.cat([a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()], -1)

    return turn(q), turn(k)


def flash_attention(q: Tensor, k: Tensor, v: Tensor, causal: bool, window_size: tuple[int, int]) -> Tensor:
    assert causal
    ages = torch.arange(q.shape[1])[:, None] - torch.arange(k.shape[1])
    seen = (ages >= 0) & ((ages <= window_size[0]) | (window_size[0] < 0))
    heads = q.shape[2] // k.shape[2]
    k, v = (x.repeat_interleave(heads, 2) for x in (k, v))
    return F.scaled_dot_product_attention(*heads_first(q, k, v), attn_mask=seen).transpose(1, 2)


def on_the_cpu() -> None:
    """Puts all of these in their places."""
    layers: Any = fla.layers
    layers.gla.fused_recurrent_gla = gla_op
    layers.hgrn2.fused_recurrent_gla = gla_op
    layers.hgrn2.swish = F.silu
    layers.hgrn2.rms_norm_linear = layers.gsa.rms_norm_linear = norm_linear
    layers.gsa.fused_recurrent_gsa = gsa_op
    layers.multiscale_retention.fused_recurrent_retention = retention_op
    layers.linear_attn.fused_recurrent_linear_attn = linear_op
    layers.delta_net.fused_recurrent_delta_rule = layers.delta_net.chunk_delta_rule = delta_op
    layers.gated_deltanet.fused_recurrent_gated_delta_rule = gated_op
    layers.gated_deltaproduct.fused_recurrent_gated_delta_rule = gated_op
    layers.kda.fused_recurrent_kda = kda_op
    layers.rwkv6.fused_recurrent_rwkv6 = rwkv6_op
    layers.rwkv6.token_shift = layers.rwkv7.token_shift = shifted
    fla.models.rwkv6.modeling_rwkv6.token_shift = fla.models.rwkv7.modeling_rwkv7.token_shift = shifted
    layers.rwkv7.fused_mul_recurrent_rwkv7 = rwkv7_op
    layers.rwkv7.fused_addcmul_rwkv7 = mixtures
    layers.rwkv7.fused_k_rwkv7 = k_update_ref
    layers.rwkv7.gate_output_correction = gate_output_correction_ref
    layers.attn.flash_attn_func = flash_attention
    layers.gated_deltanet.GatedDeltaNet._use_fused_qkv_conv = lambda *_: False
    ACT2FN["swish"] = ACT2FN["silu"] = F.silu
    ACT2FN["sqrelu"] = lambda x: F.relu(x).square()
    SwishFeatureMap.forward = lambda self, x: F.silu(x)
    ShortConvolution.forward = short_conv
    RotaryEmbedding.forward = rotated
    FusedRMSNormGated.forward = gated_norm
    RMSNorm.forward = lambda self, x: F.rms_norm(x, x.shape[-1:], self.weight, self.eps)
    RMSNormGated.forward = lambda self, x, z: F.rms_norm(x * F.silu(z), x.shape[-1:], self.weight, self.eps)
    LayerNorm.forward = lambda self, x: F.layer_norm(x, x.shape[-1:], self.weight, self.bias, self.eps)
    GroupNorm.forward = lambda self, x: F.group_norm(
        x.flatten(0, 1), self.num_groups, self.weight, self.bias, self.eps
    ).view_as(x)
    GatedMLP.forward = lambda self, x, **_: self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
