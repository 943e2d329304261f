/** Tensors as the reference sees them: letters, sizes, float64 numbers, and plain loops. */

import type { Sizes } from "../../../runtime/tfjs/letters.js";

export interface Named {
  readonly letters: string;
  readonly sizes: Sizes;
  readonly data: Float64Array;
  readonly dtype: "float32" | "int32";
}

export type Index = Readonly<Record<string, number>>;

export function shapeOf(x: Named): number[] {
  return [...x.letters].map((letter) => x.sizes[letter]!);
}

function offsetOf(x: Named, index: Index): number {
  let offset = 0;
  for (const letter of x.letters) offset = offset * x.sizes[letter]! + index[letter]!;
  return offset;
}

export function at(x: Named, index: Index): number {
  return x.data[offsetOf(x, index)]!;
}

/** Every index of the axes `letters`, in row-major order. */
export function* indices(letters: string, sizes: Sizes): Generator<Index> {
  const index: Record<string, number> = Object.fromEntries(
    [...letters].map((letter) => [letter, 0]),
  );
  for (;;) {
    yield { ...index };
    let i = letters.length - 1;
    while (i >= 0 && (index[letters[i]!]! += 1) === sizes[letters[i]!]) index[letters[i--]!] = 0;
    if (i < 0) return;
  }
}

export function count(letters: string, sizes: Sizes): number {
  return [...letters].reduce((n, letter) => n * sizes[letter]!, 1);
}

/** One number an index. */
export function build(
  letters: string,
  sizes: Sizes,
  value: (index: Index) => number,
  dtype: Named["dtype"] = "float32",
): Named {
  const data = Float64Array.from(indices(letters, sizes), value);
  return { letters, sizes, data, dtype };
}

/** Loops over `loop`, adding each value at the place of the result that its index falls on. */
export function accumulate(
  loop: string,
  letters: string,
  sizes: Sizes,
  value: (index: Index) => number,
  reduce: "sum" | "max" = "sum",
): Named {
  const data = new Float64Array(count(letters, sizes)).fill(reduce === "sum" ? 0 : -Infinity);
  const result: Named = { letters, sizes, data, dtype: "float32" };
  for (const index of indices(loop, sizes)) {
    const place = offsetOf(result, index);
    data[place] =
      reduce === "sum" ? data[place]! + value(index) : Math.max(data[place]!, value(index));
  }
  return result;
}
