/** Gated slot attention (Zhang et al., 2024). FLA's last norm keeps its ε of 1e-5 whatever `norm_eps` says. */

import { linear, same } from "../../places.js";
import { layerText } from "../../program-text.js";
import type { LayerOf } from "../../layer.js";
import { expanded, orElse } from "./sizes.js";

export const gsa: LayerOf = (settings) => {
  const heads = settings.count("num_heads", 4);
  settings.must({
    feature_map: ["swish"],
    use_short_conv: [false],
    use_norm: [true],
    elementwise_affine: [true],
    gate_logit_normalizer: [8],
  });
  if (orElse(settings, "num_kv_heads", heads) !== heads) settings.refuse("num_kv_heads", heads);
  const size = expanded(settings, heads, 1, 1);
  return {
    text: layerText("GSA", {
      heads,
      ...size,
      slots_per_head: settings.has("num_slots") ? settings.count("num_slots") : size.key,
      epsilon: 1e-5,
    }),
    places: {
      "q.weight": linear("q_proj.weight"),
      "k.weight": linear("k_proj.weight"),
      "v.weight": linear("v_proj.weight"),
      "a.weight": linear("f_proj.weight"),
      "out.rmsnorm.weight": same("g_norm.weight"),
      "out.linear.weight": linear("o_proj.weight"),
    },
  };
};
