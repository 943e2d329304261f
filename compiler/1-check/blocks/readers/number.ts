/** Numbers with a range, written out or as arithmetic: `256`, `15B`, `(8 * 32)`. */

import type { BinaryExpression, Expression } from "../../../../grammar/ast.js";
import type { Reader } from "../schema.js";
import { outOfRange, wrongKind } from "./wrong.js";

/** Bounds: `from` and `to` are in the range, `above` and `below` are not. */
export interface Range {
  readonly whole?: true;
  readonly from?: number;
  readonly above?: number;
  readonly to?: number;
  readonly below?: number;
}

export function number(range: Range = {}): Reader<number> {
  const takes = rangeText(range);
  return {
    takes,
    shown: range.whole ? "N" : "X",
    read: (expression, site) => {
      const value = constant(expression);
      if (value === undefined) return wrongKind(expression, takes, site);
      return inRange(value, range)
        ? value
        : outOfRange(expression, takes, showNumber(expression, value), site);
    },
  };
}

/** A whole number from 1 on. */
export const count = number({ whole: true, from: 1 });

/** A number, or `none` for null. */
export function numberOrNone(range: Range): Reader<number | null> {
  const inner = number(range);
  return {
    takes: `${inner.takes}, or \`none\``,
    shown: inner.shown,
    choices: [{ word: "none", doc: "do without", options: null }],
    read: (value, site) =>
      value.kind === "name" && value.name === "none" ? null : inner.read(value, site),
  };
}

function inRange(value: number, { whole, from, above, to, below }: Range): boolean {
  return (
    Number.isFinite(value) &&
    (!whole || Number.isSafeInteger(value)) &&
    (from === undefined || value >= from) &&
    (above === undefined || value > above) &&
    (to === undefined || value <= to) &&
    (below === undefined || value < below)
  );
}

/** "a number from 0 to below 1" */
function rangeText({ whole, from, above, to, below }: Range): string {
  const noun = whole ? "a whole number" : "a number";
  const high = to !== undefined ? `${to}` : below !== undefined ? `below ${below}` : null;
  if (from !== undefined) return `${noun} from ${from} ${high === null ? "on" : `to ${high}`}`;
  if (above !== undefined) return `${noun} above ${above}${high === null ? "" : ` and ${high}`}`;
  return high === null ? noun : `${noun} ${high}`;
}

/** How a number reads in a message: as it was written where it was written out. */
export function showNumber(expression: Expression, value: number): string {
  return expression.kind === "number" ? expression.text : String(value);
}

/** The value of arithmetic on numbers; undefined when anything else is in it. */
export function constant(expression: Expression): number | undefined {
  switch (expression.kind) {
    case "number":
      return expression.value;
    case "parenthesized":
      return constant(expression.expression);
    case "unary": {
      const operand = constant(expression.operand);
      return expression.operator === "-" && operand !== undefined ? -operand : undefined;
    }
    case "binary": {
      const [left, right] = [constant(expression.left), constant(expression.right)];
      if (left === undefined || right === undefined) return undefined;
      return operations[expression.operator]?.(left, right);
    }
    default:
      return undefined;
  }
}

const operations: Readonly<
  Partial<Record<BinaryExpression["operator"], (a: number, b: number) => number>>
> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "^": (a, b) => a ** b,
};
