/** Multi-scale retention (Sun et al., 2023). FLA's norm has a gain, which the paper's has not. */

import { linear, same } from "../../places.js";
import { layerText } from "../../program-text.js";
import type { LayerOf } from "../../layer.js";
import { epsilonOf, expanded, orElse } from "./sizes.js";

export const retnet: LayerOf = (settings) => {
  const heads = settings.count("num_heads", 8);
  settings.must({ feature_map: [null], use_short_conv: [false], use_output_gate: [true] });
  if (orElse(settings, "num_kv_heads", heads) !== heads) settings.refuse("num_kv_heads", heads);
  const gain = settings.flag("elementwise_affine", true);
  const size = expanded(settings, heads, 1, 2);
  return {
    text: layerText("RetNet", {
      heads,
      ...size,
      gain: gain || null,
      epsilon: epsilonOf(settings, 1e-6),
    }),
    places: {
      "q.weight": linear("q_proj.weight"),
      "k.weight": linear("k_proj.weight"),
      "v.weight": linear("v_proj.weight"),
      "gate.weight": linear("g_proj.weight"),
      ...(gain && { "out.rmsnorm.weight": same(["g_norm_swish_gate.weight", "g_norm.weight"]) }),
      "out.linear.weight": linear("o_proj.weight"),
    },
  };
};
