/** RWKV-6's time mixing and channel mixing (Peng et al., 2024). */

import { linear, part, type Places, rows, same } from "../../places.js";
import { layerText } from "../../program-text.js";
import type { Layer, LayerOf } from "../../layer.js";
import { expanded } from "./sizes.js";
import type { Settings } from "../../settings.js";

/** In the order in which FLA keeps their shifts side by side. */
const mixed = ["r", "w", "k", "v", "g"] as const;

export const rwkv6: LayerOf = (settings) => {
  settings.must({ elementwise_affine: [true] });
  const heads = settings.count("num_heads", 4);
  const size = expanded(settings, heads, 0.5, 1);
  const rank = settings.count("proj_low_rank_dim", 32);
  const shifts = mixed.map((name, i): Places => ({
    [`${name}_shift.lambda`]: part("x_bias", rows(i, 1)),
    [`${name}_shift.more.A`]: linear("x_proj.0.linear.weight", rows(i * rank, rank)),
    // [width, 5 rank], of which [rank, width]
    [`${name}_shift.more.B`]: part("x_proj.2.weight", (x) =>
      x.split(1, [mixed.length, rank]).slice(1, i, 1).permute(1, 2, 0),
    ),
  }));
  return {
    text: layerText("RWKV6", {
      heads,
      ...size,
      rank: settings.count("gate_low_rank_dim", 64),
      shift_rank: rank,
      epsilon: settings.number("norm_eps", 1e-5),
    }),
    places: {
      "probe.mu": same("x_proj.0.mu"),
      ...Object.assign({}, ...shifts),
      "r.weight": linear("r_proj.linear.weight"),
      "k.weight": linear("k_proj.linear.weight"),
      "v.weight": linear("v_proj.linear.weight"),
      "g.weight": linear("g_proj.linear.weight"),
      w0: same("w_proj.linear.lora.2.bias"),
      "speed.A": linear("w_proj.linear.lora.0.weight"),
      "speed.B": linear("w_proj.linear.lora.2.weight"),
      u: same("bonus"),
      "norm.weight": same("g_norm.weight"),
      "norm.bias": same("g_norm.bias"),
      "out.weight": linear("o_proj.weight"),
    },
  };
};

export function channelMix(settings: Settings): Layer {
  settings.must({ hidden_act: ["sqrelu"] });
  return {
    text: layerText("ChannelMix", { hidden: hiddenOf(settings, 3.5) }),
    places: {
      "k_shift.mu": same("key.mu"),
      "r_shift.mu": same("receptance.mu"),
      "k.weight": linear("key.linear.weight"),
      "r.weight": linear("receptance.linear.weight"),
      "down.weight": linear("value.weight"),
    },
  };
}

/** RWKV's hidden sizes are multiples of 32. */
export function hiddenOf(settings: Settings, ratio: number): number {
  if (settings.has("intermediate_size")) return settings.count("intermediate_size");
  const times = settings.has("hidden_ratio") ? settings.number("hidden_ratio") : ratio;
  return 32 * Math.ceil(Math.trunc(settings.count("hidden_size") * times) / 32);
}
