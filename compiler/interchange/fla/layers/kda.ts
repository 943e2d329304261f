/** Kimi delta attention (Kimi Team, 2025). */

import { linear, type Places, same } from "../../places.js";
import { layerText } from "../../program-text.js";
import { convolved, headSizes, tapsOf } from "./delta.js";
import type { LayerOf } from "../../layer.js";
import { epsilonOf } from "./sizes.js";

export const kda: LayerOf = (settings) => {
  settings.must({ use_short_conv: [true], safe_gate: [false], lower_bound: [null] });
  const sizes = headSizes(settings, settings.count("num_heads", 16), 128, 1);
  const maps: readonly Places[] = ["q", "k", "v"].map((x) => convolved(x, x));
  return {
    text: layerText("KDA", {
      ...sizes,
      taps: tapsOf(settings),
      negative: settings.flag("allow_neg_eigval", false) || null,
      epsilon: epsilonOf(settings, 1e-6),
    }),
    places: {
      ...Object.assign({}, ...maps),
      "b.weight": linear("b_proj.weight"),
      A: same("A_log"),
      bias: same("dt_bias"),
      "dt.down.weight": linear("f_proj.0.weight"),
      "dt.up.weight": linear("f_proj.1.weight"),
      "gate.down.weight": linear("g_proj.0.weight"),
      "gate.up.weight": linear("g_proj.1.weight"),
      "gate.up.offset": same("g_proj.1.bias"),
      "out.rmsnorm.weight": same("o_norm.weight"),
      "out.linear.weight": linear("o_proj.weight"),
    },
  };
};
