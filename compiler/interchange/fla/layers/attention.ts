/** Softmax attention: FLA's Transformer, and single blocks of its hybrids (`attn` in the configuration). */

import { linear, type Places, same } from "../../places.js";
import { layerText } from "../../program-text.js";
import { Settings } from "../../settings.js";
import type { LayerOf } from "../../layer.js";
import { orElse } from "./sizes.js";

export const attention: LayerOf = (settings) => {
  const normed = settings.flag("qk_norm", false);
  const heads = settings.count("num_heads");
  const kvHeads = orElse(settings, "num_kv_heads", heads);
  const bias = settings.flag("qkv_bias", false);
  const theta = settings.number("rope_theta", 10000);
  const text = layerText("Attention", {
    heads,
    kv_heads: kvHeads === heads ? null : kvHeads,
    window: settings.has("window_size") ? settings.count("window_size") : null,
    bias: bias || null,
    theta: theta === 10000 ? null : theta,
    qk_norm: normed || null,
    epsilon: normed ? 1e-5 : null, // whatever `norm_eps` says
  });
  const maps = ["q", "k", "v"].flatMap((x): [string, Places[string]][] => [
    [`${x}.weight`, linear(`${x}_proj.weight`)],
    ...(bias ? [[`${x}.offset`, same(`${x}_proj.bias`)] as [string, Places[string]]] : []),
  ]);
  const norms: Places = {
    "q_norm.weight": same("q_norm.weight"),
    "k_norm.weight": same("k_norm.weight"),
  };
  return {
    text,
    places: {
      ...(normed && norms),
      ...Object.fromEntries(maps),
      "out.weight": linear("o_proj.weight"),
    },
  };
};

/** The settings of the attention in block `index` of a hybrid; null where the block has its model's own mixer. */
export function attentionIn(settings: Settings, index: number): Settings | null {
  const given = settings.get("attn");
  if (given === undefined || given === null) return null;
  const specs = (Array.isArray(given) ? given : [given]) as readonly Record<string, unknown>[];
  const own = specs.find(({ layers }) => Array.isArray(layers) && layers.includes(index));
  return own === undefined ? null : new Settings(own, settings.where);
}
