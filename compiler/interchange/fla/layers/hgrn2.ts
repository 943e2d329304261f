/**
 * HGRN2 (Qin et al., 2024). FLA learns the lower bounds of all blocks together, as a softmax over them, whose running sum a block
 * takes; here a block has its own, and keeps what came of it.
 *
 * FLA reads the state with key^(−½), which the last norm undoes but for its ε of 1e-5: here that is 1e-5 · key.
 */

import { linear, type Place, same } from "../../places.js";
import { layerText } from "../../program-text.js";
import { View } from "../../view.js";
import type { LayerOf } from "../../layer.js";

export const hgrn2: LayerOf = (settings, index) => {
  settings.must({ use_short_conv: [false], elementwise_affine: [true] });
  const width = settings.count("hidden_size");
  const key =
    settings.get("expand_ratio") === null
      ? width / settings.count("num_heads")
      : settings.count("expand_ratio", 128);
  const heads = Math.trunc(width / key);
  const bound = settings.flag("use_lower_bound", true) ? "given" : "none";
  return {
    text: layerText("HGRN2", {
      heads,
      key,
      value: width / heads,
      bound: `"${bound}"`,
      epsilon: 1e-5 * key,
    }),
    places: {
      "q.weight": linear("q_proj.weight"),
      "v.weight": linear("i_proj.weight"),
      "a.weight": linear("f_proj.weight"),
      "out.rmsnorm.weight": same("g_norm.weight"),
      "out.linear.weight": linear("o_proj.weight"),
    },
    ...(bound === "given" && { elsewhere: { "lower.param": lowerBound(index) } }),
  };
};

/** Σ of the softmax over blocks from the second to block `index`. */
const lowerBound = (index: number): Place => ({
  tensor: "model.lower_bounds",
  computed: true,
  arrange: (bounds) => {
    const [blocks, width] = bounds.shape as [number, number];
    const values = bounds.read();
    const lower = Float64Array.from({ length: width }, (_, channel) => {
      const column = Array.from({ length: blocks }, (__, i) => values[i * width + channel]!);
      const highest = Math.max(...column);
      const shares = column.map((x) => Math.exp(x - highest));
      const sum = (part: readonly number[]): number => part.reduce((a, b) => a + b, 0);
      return sum(shares.slice(1, index + 1)) / sum(shares);
    });
    return View.of(lower, [width]);
  },
});
