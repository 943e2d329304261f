/** The scalar code of a map as WGSL. */

import type { ScalarFunction } from "../../../../compiler/ir/scalar-functions.js";
import type { MapKernel, Operand } from "../../kernel-set.js";
import { scalarFunctions } from "../wgsl/functions.js";
import { literal } from "../wgsl/shader.js";

/**
 * Lines that compute, and the name of the value. `input` and `position` give expressions, which are evaluated
 * once each.
 */
export function scalarCode(
  { code }: MapKernel,
  input: (index: number) => string,
  position: (letter: string) => string,
): { readonly lines: string; readonly value: string } {
  const lines: string[] = [];
  const named = new Map<string, string>();
  // Constants get names, too: a shader whose constants alone overflow does not compile.
  const name = (key: string, expression: () => string): string => {
    const known = named.get(key);
    if (known) return known;
    lines.push(`let ${key} = ${expression()};`);
    named.set(key, key);
    return key;
  };
  let constants = 0;
  const read = (operand: Operand): string => {
    switch (operand.kind) {
      case "input":
        return name(`a${operand.index}`, () => input(operand.index));
      case "value":
        return `v${operand.index}`;
      case "constant":
        return name(`c${constants++}`, () => literal(operand.value));
      case "position":
        return name(`p${operand.letter}`, () => position(operand.letter));
    }
  };
  code.forEach(({ fn, arguments: operands }, i) => {
    const [a = "", b = "", c = ""] = operands.map(read);
    lines.push(`let v${i} = ${scalarFunctions[fn as ScalarFunction](a, b, c)};`);
  });
  return { lines: lines.join("\n"), value: `v${code.length - 1}` };
}
