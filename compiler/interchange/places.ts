/** Where a parameter's numbers lie in another program's tensors, and in which order. */

import type { View } from "./view.js";

export interface Place {
  /** The tensor's name; of several, the one that is there. */
  readonly tensor: string | readonly string[];
  /** Its numbers in our order of axes. */
  readonly arrange: (tensor: View) => View;
  /** Set where several parameters are computed from all of the tensor. */
  readonly computed?: true;
}

/** By our paths. */
export type Places = Readonly<Record<string, Place>>;

type Arrange = Place["arrange"];

/** Numbers in the same order, whatever the axes. */
export const same = (tensor: Place["tensor"]): Place => ({ tensor, arrange: (x) => x });

/** torch's linear map [out, in], which is [in, out] here. */
export const linear = (tensor: Place["tensor"], part: Arrange = (x) => x): Place => ({
  tensor,
  arrange: (x) => part(x).permute(1, 0),
});

/** torch's depthwise convolution [channels, 1, taps] whose last tap is the newest: here [taps, channels], the newest first. */
export const conv = (tensor: Place["tensor"], part: Arrange = (x) => x): Place => ({
  tensor,
  arrange: (x) => part(x).permute(2, 0, 1).flip(0),
});

/** Another part of a tensor, as `same`. */
export const part = (tensor: Place["tensor"], arrange: Arrange): Place => ({ tensor, arrange });

/** Rows of a tensor: `count` of its outermost axis from `from` on. */
export const rows =
  (from: number, count: number): Arrange =>
  (x) =>
    x.slice(0, from, count);

/** Consecutive rows, one part after the other: `split([4, 4, 2])` gives three. */
export function split(counts: readonly number[]): Arrange[] {
  let from = 0;
  return counts.map((count) => {
    const own = rows(from, count);
    from += count;
    return own;
  });
}

/** Places below another prefix on both sides. */
export function below(ours: string, theirs: string, places: Places): Places {
  const prefixed = (tensor: Place["tensor"]): Place["tensor"] =>
    typeof tensor === "string" ? theirs + tensor : tensor.map((name) => theirs + name);
  return Object.fromEntries(
    Object.entries(places).map(([path, place]) => [
      ours + path,
      { ...place, tensor: prefixed(place.tensor) },
    ]),
  );
}
