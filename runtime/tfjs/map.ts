/** Elementwise kernels as emitted TypeScript writes them: once, at the top of the file, as a formula. */

import type { MapKernel } from "./kernel-set.js";
import { parseFormula } from "./map-parser.js";
import { union, without } from "./letters.js";

export { showMap, type MapText } from "./map-printer.js";

const inputPattern = /^([A-Za-z_]\w*)\s*:\s*([A-Za-z]*)$/;

/**
 * `defineMap("x:BTHK, a:H -> BTHK", "t = exp(x); t / (1 + t) * a")`. Inputs with no axes are written `c:`.
 * Letters that inputs have and the result lacks are reduced, which `reduce` must then say how.
 */
export function defineMap(spec: string, formula: string, reduce?: "sum" | "max"): MapKernel {
  const [left, right, ...more] = spec.split("->").map((part) => part.trim());
  if (left === undefined || right === undefined || more.length > 0 || !/^[A-Za-z]*$/.test(right))
    throw new Error(`map "${spec}" is not of the form "x:AB, y:B -> AB"`);
  const names: string[] = [];
  const inputs: string[] = [];
  for (const part of left === "" ? [] : left.split(",")) {
    const match = inputPattern.exec(part.trim());
    if (!match)
      throw new Error(`map "${spec}": "${part.trim()}" is not of the form "name:LETTERS"`);
    names.push(match[1]!);
    inputs.push(match[2]!);
  }
  const reduced = without(union(...inputs), right);
  if (reduced !== "" && !reduce)
    throw new Error(`map "${spec}" must say how ${reduced} is reduced`);
  return {
    inputs,
    output: right,
    reduce: reduced === "" ? null : reduce!,
    code: parseFormula(formula, names),
  };
}
