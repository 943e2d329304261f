/** Weights by their paths and by the segments of their paths: checkpoints want the first, code the second. */

import type { Tensor } from "@tensorflow/tfjs";
import type { TensorMap } from "./train/trainable.js";

interface Folder {
  [segment: string]: Tensor | Folder;
}

/**
 * `blocks.0.mixer.q.weight` becomes `w.blocks[0].mixer.q.weight`. A tensor whose path is also the
 * beginning of others stands under `self`. The caller says what shape comes out.
 */
export function nest<Weights>(weights: TensorMap): Weights {
  const paths = Object.keys(weights);
  const inner = new Set(paths.flatMap(beginnings));
  const root = empty();
  for (const path of paths) {
    const segments = path.split(".");
    if (inner.has(path)) segments.push("self");
    const last = segments.pop()!;
    let at = root;
    for (const segment of segments) at = (at[segment] ??= empty()) as Folder;
    at[last] = weights[path]!;
  }
  return root as unknown as Weights;
}

/** The same tensors under a longer path: `q.weight` under `blocks.0` is `blocks.0.q.weight`. */
export function under(prefix: string, tensors: TensorMap): TensorMap {
  return Object.fromEntries(
    Object.entries(tensors).map(([path, tensor]) => [`${prefix}.${path}`, tensor]),
  );
}

/** No prototype: a segment may have any name. */
const empty = (): Folder => Object.create(null) as Folder;

/** `a.b` and `a` for `a.b.c`. */
function beginnings(path: string): string[] {
  const segments = path.split(".");
  return segments.slice(1).map((_, i) => segments.slice(0, i + 1).join("."));
}
