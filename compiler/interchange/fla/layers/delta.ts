/** The delta rules: DeltaNet (Schlag et al., 2021), Gated DeltaNet (Yang et al., 2024), Gated DeltaProduct (Siems et al., 2025). */

import { conv, linear, type Places, rows, same, split } from "../../places.js";
import { layerText } from "../../program-text.js";
import type { Settings } from "../../settings.js";
import type { LayerOf } from "../../layer.js";
import { epsilonOf, expanded, orElse } from "./sizes.js";

/** A linear map with a short convolution behind it. */
export const convolved = (ours: string, theirs: string): Places => ({
  [`${ours}.linear.weight`]: linear(`${theirs}_proj.weight`),
  [`${ours}.conv.weight`]: conv(`${theirs}_conv1d.weight`),
});

const convolvedAll: Places = Object.assign({}, ...["q", "k", "v"].map((x) => convolved(x, x)));

const output: Places = {
  "out.rmsnorm.weight": same("o_norm.weight"),
  "out.linear.weight": linear("o_proj.weight"),
};

/** exp(−exp(A) softplus(linear x + bias)), and the output's gate. */
const decayAndGate = (bias: string): Places => ({
  A: same("A_log"),
  [bias]: same("dt_bias"),
  "dt.weight": linear("a_proj.weight"),
  "gate.weight": linear("g_proj.weight"),
});

/** Heads and their sizes where `head_dim` and `expand_v` say them. */
export function headSizes(
  settings: Settings,
  heads: number,
  head: number,
  expand: number,
): { readonly heads: number; readonly key: number; readonly value: number } {
  if (orElse(settings, "num_v_heads", heads) !== heads) settings.refuse("num_v_heads", heads);
  const key = settings.count("head_dim", head);
  return { heads, key, value: Math.trunc(key * settings.number("expand_v", expand)) };
}

/** Four taps are the default here. */
export const tapsOf = (settings: Settings): number | null => {
  const taps = settings.count("conv_size", 4);
  return taps === 4 ? null : taps;
};

export const deltaNet: LayerOf = (settings) => {
  const heads = settings.count("num_heads", 16);
  settings.must({
    use_gate: [false],
    use_short_conv: [true],
    use_beta: [true],
    use_output_norm: [true],
    qk_norm: ["l2"],
    qk_activation: ["silu"],
  });
  return {
    text: layerText("DeltaNet", {
      heads,
      ...expanded(settings, heads, 1, 1),
      taps: tapsOf(settings),
      negative: settings.flag("allow_neg_eigval", false) || null,
      epsilon: epsilonOf(settings, 1e-6),
    }),
    places: { ...convolvedAll, "b.weight": linear("b_proj.weight"), ...output },
  };
};

export const gatedDeltaNet: LayerOf = (settings) => {
  settings.must({ use_gate: [true], use_short_conv: [true] });
  return {
    text: layerText("GatedDeltaNet", {
      ...headSizes(settings, settings.count("num_heads", 6), 256, 2),
      taps: tapsOf(settings),
      negative: settings.flag("allow_neg_eigval", false) || null,
      epsilon: epsilonOf(settings, 1e-6),
    }),
    places: {
      ...convolvedAll,
      "b.weight": linear("b_proj.weight"),
      ...decayAndGate("dt_bias"),
      ...output,
    },
  };
};

export const gatedDeltaProduct: LayerOf = (settings) => {
  settings.must({ use_output_gate: [true], use_short_conv: [true] });
  if (settings.get("num_householder") !== 2) settings.refuse("num_householder", 2);
  if (settings.get("use_forget_gate") !== true) settings.refuse("use_forget_gate", true);
  const sizes = headSizes(settings, settings.count("num_heads", 6), 256, 2);
  const { heads, key, value } = sizes;
  const steps = [0, 1].map((i): Places => {
    const [keys, values] = [
      rows(i * heads * key, heads * key),
      rows(i * heads * value, heads * value),
    ];
    return {
      [`k${i + 1}.linear.weight`]: linear("k_proj.weight", keys),
      [`k${i + 1}.conv.weight`]: conv("k_conv1d.weight", keys),
      [`v${i + 1}.linear.weight`]: linear("v_proj.weight", values),
      [`v${i + 1}.conv.weight`]: conv("v_conv1d.weight", values),
      [`b${i + 1}.weight`]: linear("b_proj.weight", split([heads, heads])[i]),
    };
  });
  return {
    text: layerText("DeltaProduct", {
      ...sizes,
      taps: tapsOf(settings),
      negative: settings.flag("allow_neg_eigval", false) ? null : false,
      epsilon: epsilonOf(settings, 1e-6),
    }),
    places: {
      ...convolved("q", "q"),
      ...steps[0],
      ...steps[1],
      ...decayAndGate("bias"),
      ...output,
    },
  };
};
