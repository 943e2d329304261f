/** Index arithmetic as WGSL: numbers of elements to places along axes, and those to offsets. */

import type { Axis } from "../../wasm/strides.js";
import { stridesOf } from "../../wasm/strides.js";

/** `a * 12u + b`, of the terms that are not 0. */
export function sumOf(terms: readonly (readonly [name: string, stride: number])[]): string {
  const shown = terms
    .filter(([, stride]) => stride !== 0)
    .map(([name, stride]) => (stride === 1 ? name : `${name} * ${stride}u`));
  return shown.length === 0 ? "0u" : shown.join(" + ");
}

/**
 * Takes a row-major number apart: lines that make `${prefix}0`, `${prefix}1`, … of the expression `from`.
 * Sizes outermost first.
 */
export function takeApart(from: string, prefix: string, sizes: readonly number[]): string {
  const strides = stridesOf(sizes);
  return sizes
    .map((size, i) => {
      const divided = strides[i] === 1 ? from : `${from} / ${strides[i]}u`;
      const place = i === 0 ? divided : `(${divided}) % ${size}u`;
      return `let ${prefix}${i} = ${size === 1 ? "0u" : place};`;
    })
    .join("\n");
}

/** The offset of an operand at places `${prefix}0`, … along axes. */
export function offsetAlong(axes: readonly Axis[], prefix: string, operand: number): string {
  return sumOf(axes.map(({ strides }, i) => [`${prefix}${i}`, strides[operand]!] as const));
}

/** `fn name(i: u32) -> u32`: the offset of an operand at the i-th point of axes. */
export function offsetFunction(name: string, axes: readonly Axis[], operand: number): string {
  const used = axes.filter(({ strides }) => strides[operand] !== 0);
  if (used.length === 0) return `fn ${name}(i: u32) -> u32 { return 0u; }`;
  return `fn ${name}(i: u32) -> u32 {
${takeApart(
  "i",
  "p",
  axes.map(({ size }) => size),
)}
return ${offsetAlong(axes, "p", operand)};
}`;
}

/** The offset in a tensor with these letters, each letter's place being the variable `at<letter>`. */
export function offsetOf(
  letters: string,
  sizeOf: (letter: string) => number,
  placeOf: (letter: string) => string = (letter) => `at${letter}`,
): string {
  const strides = stridesOf([...letters].map(sizeOf));
  return sumOf([...letters].map((letter, i) => [placeOf(letter), strides[i]!] as const));
}

/** Lines that make `at<letter>` for every letter, of a row-major number. */
export function places(from: string, letters: string, sizeOf: (letter: string) => number): string {
  const strides = stridesOf([...letters].map(sizeOf));
  return [...letters]
    .map((letter, i) => {
      const divided = strides[i] === 1 ? from : `${from} / ${strides[i]}u`;
      const place = i === 0 ? divided : `(${divided}) % ${sizeOf(letter)}u`;
      return `let at${letter} = ${sizeOf(letter) === 1 ? "0u" : place};`;
    })
    .join("\n");
}
