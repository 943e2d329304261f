/** Sizes as FLA's configurations say them. */

import type { Settings } from "../../settings.js";

/** A setting that may be absent or null, such as the number of heads of keys, and then is `otherwise`. */
export function orElse(settings: Settings, key: string, otherwise: number): number {
  return settings.has(key) ? settings.count(key) : otherwise;
}

/** The norm's ε where it is not the layer's default. */
export function epsilonOf(settings: Settings, otherwise: number, key = "norm_eps"): number | null {
  const epsilon = settings.number(key, otherwise);
  return epsilon === otherwise ? null : epsilon;
}

/** Keys and values of a head, from their expansions of the width. */
export function expanded(
  settings: Settings,
  heads: number,
  k: number,
  v: number,
): { readonly key: number; readonly value: number } {
  const width = settings.count("hidden_size");
  return {
    key: Math.trunc(width * settings.number("expand_k", k)) / heads,
    value: Math.trunc(width * settings.number("expand_v", v)) / heads,
  };
}
