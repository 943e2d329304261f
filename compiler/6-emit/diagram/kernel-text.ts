/** What a kernel computes, in a line. */

import type { Instruction, Kernel, MapKernel, ScalarOperand } from "../../ir/program.js";

/** Brackets around the whole of an expression, when there are no others in it. */
const outer = /^\(([^()]*)\)$/;

/** Longer code is told by its functions. */
const longest = 60;

export function kernelText(kernel: Kernel): string {
  switch (kernel.op) {
    case "map":
      return mapText(kernel);
    case "scan":
      return `${kernel.attributes.label}, one by one along ${kernel.attributes.axis}`;
    case "dot":
      return `over ${kernel.attributes.over.join(", ") || "nothing"}`;
    default: {
      const said = Object.entries(kernel.attributes).flatMap(([key, value]) =>
        attributeText(key, value as unknown),
      );
      return said.join(", ");
    }
  }
}

function attributeText(key: string, value: unknown): string[] {
  if (value === null || value === false) return [];
  if (value === true) return [key];
  if (Array.isArray(value))
    return value.length === 0 ? [] : [`${key} ${value.map(plain).join(", ")}`];
  return [`${key} ${plain(value)}`];
}

function plain(value: unknown): string {
  if (typeof value === "object" && value !== null && "name" in value && "size" in value)
    return `${String(value.name)} ${String(value.size)}`;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function mapText({ code, reduce }: MapKernel): string {
  const whole = code.length === 0 ? "copy" : expression(code, code.length - 1).replace(outer, "$1");
  const inner = whole.length <= longest ? whole : functionsOf(code);
  return reduce === null ? inner : `${reduce} of ${inner}`;
}

const signs: Readonly<Record<string, string>> = { add: "+", sub: "-", mul: "*", div: "/" };

function expression(code: readonly Instruction[], at: number): string {
  const { fn, arguments: given } = code[at]!;
  const texts = given.map((operand) => operandText(code, operand));
  const sign = signs[fn];
  return sign !== undefined && texts.length === 2
    ? `(${texts.join(` ${sign} `)})`
    : `${fn}(${texts.join(", ")})`;
}

function operandText(code: readonly Instruction[], operand: ScalarOperand): string {
  switch (operand.kind) {
    case "input":
      return String.fromCharCode(97 + (operand.index % 26));
    case "value":
      return expression(code, operand.index);
    case "constant":
      return String(Number(operand.value.toPrecision(4)));
    case "position":
      return `${operand.axis}#`;
  }
}

/** `3 mul, 2 add, exp` */
function functionsOf(code: readonly Instruction[]): string {
  const counts = new Map<string, number>();
  for (const { fn } of code) counts.set(fn, (counts.get(fn) ?? 0) + 1);
  return [...counts].map(([fn, times]) => (times === 1 ? fn : `${times} ${fn}`)).join(", ");
}
