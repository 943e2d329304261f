/** What a model measures of itself at each step, beside its loss, as numbers. */

import type { TensorMap } from "./trainable.js";

/** By path: `blocks.0.mixer.load` [experts], the share of all picks that went to each expert of a route. */
export type Metrics = Readonly<Record<string, readonly number[]>>;

/** Cuts what was read of all metrics in one row into them. */
export function metricsIn(values: ArrayLike<number>, shapes: TensorMap): Metrics {
  let at = 0;
  return Object.fromEntries(
    Object.entries(shapes).map(([path, { size }]) => {
      const own = Array.from({ length: size }, (_, i) => values[at + i]!);
      at += size;
      return [path, own];
    }),
  );
}
