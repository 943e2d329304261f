/** Mamba-1 (Gu & Dao, 2023) and Mamba-2 (Dao & Gu, 2024), whose maps FLA and transformers keep side by side in one tensor. */

import { conv, linear, part, same, split } from "../../places.js";
import { layerText } from "../../program-text.js";
import type { Settings } from "../../settings.js";
import type { LayerOf } from "../../layer.js";
import { epsilonOf } from "./sizes.js";

const silu = { hidden_act: ["silu", "swish"], use_bias: [false], use_conv_bias: [true] } as const;

const tapsOf = (settings: Settings): number | null => {
  const taps = settings.count("conv_kernel", 4);
  return taps === 4 ? null : taps;
};

export const mamba1: LayerOf = (settings) => {
  settings.must(silu);
  const width = settings.count("hidden_size");
  const inner = Math.trunc(settings.number("expand", 2) * width);
  const n = settings.count("state_size", 16);
  const named = ["dt_rank", "time_step_rank"].find((key) => typeof settings.get(key) === "number");
  const rank = named === undefined ? Math.ceil(width / 16) : settings.count(named);
  const [u, z] = split([inner, inner]);
  const [narrow, b, c] = split([rank, n, n]);
  return {
    text: layerText("Mamba1", { inner, n, taps: tapsOf(settings), rank }),
    places: {
      "u.linear.weight": linear("in_proj.weight", u),
      "u.conv.weight": conv("conv1d.weight"),
      "u.conv.offset": same("conv1d.bias"),
      bias: same("dt_proj.bias"),
      "narrow.weight": linear("x_proj.weight", narrow),
      up: linear("dt_proj.weight"),
      "B.weight": linear("x_proj.weight", b),
      "C.weight": linear("x_proj.weight", c),
      A: linear("A_log"),
      D: same("D"),
      "z.weight": linear("in_proj.weight", z),
      "out.weight": linear("out_proj.weight"),
    },
  };
};

export const mamba2: LayerOf = (settings) => {
  settings.must({
    ...silu,
    n_groups: [1],
    D_has_hdim: [false],
    rmsnorm: [true],
    rms_norm: [true],
    norm_before_gate: [false],
  });
  for (const key of ["dt_limit", "time_step_limit"]) checkLimit(settings, key);
  const value = settings.count("head_dim", 64);
  const inner = Math.trunc(settings.number("expand", 2) * settings.count("hidden_size"));
  const heads = inner / value;
  const n = settings.count("state_size", 128);
  const [z, v, b, c, dt] = split([inner, inner, n, n, heads]);
  const channels = split([inner, n, n]);
  const convolved = [v, b, c].map((rows, i) => ({
    linear: linear("in_proj.weight", rows),
    conv: conv("conv1d.weight", channels[i]),
    offset: part("conv1d.bias", channels[i]!),
  }));
  const named = ["v", "B", "C"].flatMap((name, i) => [
    [`${name}.linear.weight`, convolved[i]!.linear],
    [`${name}.conv.weight`, convolved[i]!.conv],
    [`${name}.conv.offset`, convolved[i]!.offset],
  ]);
  const epsilonKey = settings.has("layer_norm_epsilon") ? "layer_norm_epsilon" : "norm_eps";
  return {
    text: layerText("Mamba2", {
      heads,
      n,
      value,
      taps: tapsOf(settings),
      epsilon: epsilonOf(settings, 1e-5, epsilonKey),
    }),
    places: {
      ...Object.fromEntries(named),
      dt_bias: same("dt_bias"),
      "dt.weight": linear("in_proj.weight", dt),
      A: same("A_log"),
      D: same("D"),
      "z.weight": linear("in_proj.weight", z),
      "out.rmsnorm.weight": same("norm.weight"),
      "out.linear.weight": linear("out_proj.weight"),
    },
  };
};

/** Steps may be as short and as long as they get. */
function checkLimit(settings: Settings, key: string): void {
  const limit = settings.get(key);
  if (!Array.isArray(limit)) return;
  const [low, high] = limit as readonly unknown[];
  if (low === 0 && (typeof high !== "number" || high === Infinity)) return;
  settings.refuse(key, "[0, Infinity]");
}
