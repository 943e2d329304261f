/** Calculations with initialisers: what a parameter starts as. */

import { messages } from "../../diagnostics/messages.generated.js";
import type { ValueId } from "../../ir/graph.js";
import type { Initializer } from "../../ir/initializer.js";
import type { ScalarFunction } from "../../ir/scalar-functions.js";
import { type CompileValue, kindNames } from "../values.js";
import type { OperandPlace } from "./arithmetic.js";
import { type Frame, report } from "./frame.js";

/** An elementwise function of initialisers, numbers and constant tensors. */
export function initializers(
  fn: ScalarFunction,
  operands: readonly OperandPlace[],
  what: string,
  frame: Frame,
): CompileValue {
  const inputs: Initializer[] = [];
  for (const { value, span } of operands) {
    const initializer = toInitializer(value, frame);
    if (!initializer) {
      const found = kindNames[value.kind];
      return report(
        frame,
        messages.wrongKind({
          what: `an operand of ${what}`,
          expected: "a number or an initialiser",
          found,
        }),
        [{ span, text: `this is ${found}, beside an initialiser` }],
      );
    }
    inputs.push(initializer);
  }
  const initializer: Initializer = { kind: "map", fn, inputs };
  if (sizeOf(initializer) <= longestInitializer) return { kind: "initializer", initializer };
  return report(
    frame,
    messages.wrongKind({
      what: "this initialiser",
      expected: `one of ${longestInitializer} calculations at most`,
      found: "a longer one",
    }),
    operands.map(({ span }) => ({ span, text: "too long" })),
  );
}

/** Initialisers are written out in checkpoints and trainers, with every use of a part. */
const longestInitializer = 256;

function sizeOf(initializer: Initializer): number {
  return initializer.kind === "map"
    ? initializer.inputs.reduce((sum, input) => sum + sizeOf(input), 1)
    : 1;
}

/** A value as a parameter's start: a number, an initialiser, or a tensor made of positions and constants. */
export function toInitializer(value: CompileValue, frame: Frame): Initializer | null {
  if (value.kind === "number") return { kind: "constant", value: value.value };
  if (value.kind === "initializer") return value.initializer;
  return value.kind === "tensor"
    ? tensorInitializer(value.id, frame, { left: longestInitializer })
    : null;
}

function tensorInitializer(id: ValueId, frame: Frame, parts: { left: number }): Initializer | null {
  if ((parts.left -= 1) < 0) return null;
  const node = frame.builder.producer(id);
  if (node?.op === "constant") return { kind: "constant", value: node.attributes.value };
  if (node?.op === "iota") return { kind: "iota", axis: node.attributes.axis.name };
  if (node?.op !== "map") return null;
  const inputs = node.inputs.map((input) => tensorInitializer(input, frame, parts));
  if (inputs.some((input) => input === null)) return null;
  return { kind: "map", fn: node.attributes.fn, inputs: inputs as Initializer[] };
}
