/** What a layer of FLA is here, and what the files of this folder share. */

import type { Places } from "../../places.js";
import type { Settings } from "../../settings.js";

export interface Layer {
  /** As the program writes it: `GLA(heads: 4, key: 128, value: 256)`. */
  readonly text: string;
  /** Its parameters by their paths below the layer; tensors below FLA's layer. */
  readonly places: Places;
  /** Parameters whose numbers lie elsewhere in FLA's model; tensors by their whole names. */
  readonly elsewhere?: Places;
}

/** FLA's mixer of block number `index`, from the settings. @throws RunError `import-not-equal` */
export type LayerOf = (settings: Settings, index: number) => Layer;

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
