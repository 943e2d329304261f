/**
 * Axes as letters: what every kernel's `spec` means.
 *
 * `"BTD,DHK->BTHK"` lists the letters of each operand and of the result; a letter is one axis of one size.
 */

import type { Tensor } from "@tensorflow/tfjs";

export interface Spec {
  readonly operands: readonly string[];
  readonly result: string;
}

export type Sizes = Readonly<Record<string, number>>;

/** The same few specs are asked for in every step of a training run. */
const parsed = new Map<string, Spec>();

export function parseSpec(text: string): Spec {
  const known = parsed.get(text);
  if (known) return known;
  const [left, result, ...more] = text.split("->").map((part) => part.trim());
  if (left === undefined || result === undefined || more.length > 0)
    throw new Error(`spec "${text}" is not of the form "AB,BC->AC"`);
  const operands = left.split(",").map((part) => part.trim());
  for (const letters of [...operands, result])
    if (!/^[A-Za-z]*$/.test(letters) || new Set(letters).size !== letters.length)
      throw new Error(`spec "${text}": "${letters}" is not a list of distinct letters`);
  const spec = { operands, result };
  parsed.set(text, spec);
  return spec;
}

/** The size of every letter, read off the operands' shapes; `known` adds or confirms some. */
export function sizesOf(
  operands: readonly string[],
  tensors: readonly Tensor[],
  known: Sizes = {},
): Record<string, number> {
  const sizes: Record<string, number> = { ...known };
  operands.forEach((letters, i) => {
    const shape = tensors[i]!.shape;
    if (shape.length !== letters.length)
      throw new Error(`a tensor of shape [${shape.join()}] cannot have the axes "${letters}"`);
    [...letters].forEach((letter, axis) => {
      const size = shape[axis]!;
      if ((sizes[letter] ??= size) !== size)
        throw new Error(`axis ${letter} has size ${sizes[letter]} and size ${size} in one call`);
    });
  });
  return sizes;
}

export function shapeOf(letters: string, sizes: Sizes): number[] {
  return [...letters].map((letter) => {
    const size = sizes[letter];
    if (size === undefined) throw new Error(`the size of axis ${letter} is not known`);
    return size;
  });
}

export function countOf(letters: string, sizes: Sizes): number {
  return shapeOf(letters, sizes).reduce((count, size) => count * size, 1);
}

export function product(sizes: readonly number[]): number {
  return sizes.reduce((count, size) => count * size, 1);
}

/** Letters of `a` that are also in `b`, in the order of `a`. */
export function common(a: string, b: string): string {
  return [...a].filter((letter) => b.includes(letter)).join("");
}

/** Letters of `a` that are not in `b`, in the order of `a`. */
export function without(a: string, b: string): string {
  return [...a].filter((letter) => !b.includes(letter)).join("");
}

/** All letters of the lists, each once, in the order they first appear. */
export function union(...lists: readonly string[]): string {
  return [...new Set(lists.join(""))].join("");
}
