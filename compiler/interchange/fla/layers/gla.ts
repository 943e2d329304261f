/** Gated linear attention (Yang et al., 2023). */

import { linear, same } from "../../places.js";
import { layerText } from "../../program-text.js";
import type { LayerOf } from "../../layer.js";
import { epsilonOf, expanded, orElse } from "./sizes.js";

export const gla: LayerOf = (settings) => {
  const heads = settings.count("num_heads", 4);
  settings.must({
    feature_map: [null],
    use_short_conv: [false],
    use_output_gate: [true],
    elementwise_affine: [true],
    use_gk: [true],
    use_gv: [false],
    clamp_min: [null],
    gate_logit_normalizer: [16],
  });
  if (orElse(settings, "num_kv_heads", heads) !== heads) settings.refuse("num_kv_heads", heads);
  const size = expanded(settings, heads, 0.5, 1);
  return {
    text: layerText("GLA", { heads, ...size, epsilon: epsilonOf(settings, 1e-6) }),
    places: {
      "q.weight": linear("q_proj.weight"),
      "k.weight": linear("k_proj.weight"),
      "v.weight": linear("v_proj.weight"),
      "a.down.weight": linear("gk_proj.0.weight"),
      "a.up.weight": linear("gk_proj.1.weight"),
      "a.up.offset": same("gk_proj.1.bias"),
      "gate.weight": linear("g_proj.weight"),
      "out.rmsnorm.weight": same(["g_norm_swish_gate.weight", "g_norm.weight"]),
      "out.linear.weight": linear("o_proj.weight"),
    },
  };
};
