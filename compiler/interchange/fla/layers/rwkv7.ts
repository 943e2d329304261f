/** A whole block of RWKV-7 (Peng et al., 2025): time mixing with the value residual, then channel mixing. */

import { below, linear, type Places, same } from "../../places.js";
import { layerText } from "../../program-text.js";
import type { Settings } from "../../settings.js";
import type { LayerOf } from "../../layer.js";
import { hiddenOf } from "./rwkv6.js";

export const rwkv7Block: LayerOf = (settings, index) => {
  settings.must({ hidden_act: ["sqrelu"], norm_first: [true], norm_bias: [true], attn: [null] });
  const width = settings.count("hidden_size");
  const head = settings.has("head_dim")
    ? settings.count("head_dim")
    : settings.has("num_heads")
      ? width / settings.count("num_heads")
      : 64;
  const values = settings.get("value_dim");
  const same_ = (value: unknown): boolean =>
    value === undefined || value === null || value === width;
  if (!(Array.isArray(values) ? values.every(same_) : same_(values)))
    settings.refuse("value_dim", width);
  const epsilon = settings.number("norm_eps", 1e-5);
  return {
    text: layerText("RWKV7Block", {
      heads: width / head,
      rank: rankOf(settings, "v", 16, 1.7, head),
      decay_rank: rankOf(settings, "decay", 64, 2.5, head),
      rate_rank: rankOf(settings, "a", 64, 2.5, head),
      gate_rank: rankOf(settings, "gate", 128, 5, 64),
      hidden: hiddenOf(settings, 4),
      epsilon,
      head_epsilon: head * epsilon,
    }),
    places: {
      ...norm("n", "attn_norm"),
      ...below("", "attn.", timeMixing(index)),
      ...norm("channel.layernorm", "ffn_norm"),
      ...below("channel.ChannelMix7.", "ffn.", {
        "k_shift.mu": same("x_k"),
        "k.weight": linear("key.weight"),
        "down.weight": linear("value.weight"),
      }),
    },
  };
};

/** Gain and bias of a layer norm. */
export const norm = (ours: string, theirs: string): Places => ({
  [`${ours}.weight`]: same(`${theirs}.weight`),
  [`${ours}.bias`]: same(`${theirs}.bias`),
});

/** A low-rank map whose bias, if it has one, is the parameter `bias` here. */
const lora = (ours: string, theirs: string, bias: string | null): Places => ({
  [`${ours}.A`]: linear(`${theirs}.lora.0.weight`),
  [`${ours}.B`]: linear(`${theirs}.lora.2.weight`),
  ...(bias !== null && { [bias]: same(`${theirs}.lora.2.bias`) }),
});

function timeMixing(index: number): Places {
  const shifts = ["r", "w", "k", "a", "g"].map((x) => [`time.${x}_shift.mu`, same(`x_${x}`)]);
  return {
    ...Object.fromEntries(shifts),
    "v_shift.mu": same("x_v"),
    "own.weight": linear("v_proj.weight"),
    ...(index > 0 && lora("v.residual", "v_lora", "v.v0")),
    "time.r.weight": linear("r_proj.weight"),
    "time.k.weight": linear("k_proj.weight"),
    ...lora("time.speed", "w_lora", "time.w0"),
    ...lora("time.rate", "a_lora", "time.a0"),
    ...lora("time.g", "g_lora", null),
    "time.removal": same("k_k"),
    "time.replacement": same("k_a"),
    "time.bonus": same("r_k"),
    ...norm("time.norm", "g_norm"),
    "time.out.weight": linear("o_proj.weight"),
  };
}

/** What the setting says, or where it is null a multiple of 32 near times · √width. */
function rankOf(
  settings: Settings,
  name: string,
  otherwise: number,
  times: number,
  head: number,
): number {
  const key = `${name}_low_rank_dim`;
  if (settings.get(key) !== null) return settings.count(key, otherwise);
  const width = settings.count("hidden_size");
  return Math.max(32, 32 * Math.round((times * Math.sqrt(width) * (head / 64)) / 32));
}
