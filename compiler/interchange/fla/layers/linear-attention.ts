/** Linear attention without a feature map (Katharopoulos et al., 2020), normalised behind it (Qin et al., 2022). */

import { linear, same } from "../../places.js";
import { layerText } from "../../program-text.js";
import type { LayerOf } from "../../layer.js";
import { epsilonOf, expanded, orElse } from "./sizes.js";

export const linearAttention: LayerOf = (settings) => {
  const heads = settings.count("num_heads", 4);
  if (settings.get("feature_map") !== "identity") settings.refuse("feature_map", "identity");
  settings.must({
    norm_q: [false],
    norm_k: [false],
    norm_feature_map: [false],
    elementwise_affine: [true],
  });
  if (orElse(settings, "num_kv_heads", heads) !== heads) settings.refuse("num_kv_heads", heads);
  const size = expanded(settings, heads, 1, 1);
  return {
    text: layerText("LinearAttention", { heads, ...size, epsilon: epsilonOf(settings, 1e-6) }),
    places: {
      "q.weight": linear("q_proj.weight"),
      "k.weight": linear("k_proj.weight"),
      "v.weight": linear("v_proj.weight"),
      "out.rmsnorm.weight": same("norm.weight"),
      "out.linear.weight": linear("o_proj.weight"),
    },
  };
};
