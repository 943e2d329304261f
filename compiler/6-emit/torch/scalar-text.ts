/** The elementwise functions in PyTorch, one row each. */

import type { ScalarFunction } from "../../ir/scalar-functions.js";
import { type Text, atom, tightness, within } from "./text.js";

const { comparison, sum, product, sign, power } = tightness;

const infix = (operator: string, tight: typeof sum | typeof product, right: 2 | 3 | 1) => {
  return ([a, b]: readonly Text[]): Text => ({
    text: `${within(a!, tight)} ${operator} ${within(b!, right)}`,
    tight,
  });
};

const call =
  (name: string) =>
  (args: readonly Text[]): Text =>
    atom(`${name}(${args.map(({ text }) => text).join(", ")})`);

const method =
  (name: string) =>
  ([x]: readonly Text[]): Text =>
    atom(`${within(x!, tightness.atom)}.${name}()`);

/** A comparison as PyTorch's own, of truth values. */
export const comparisons = { lt: "<", le: "<=", gt: ">", ge: ">=", eq: "==", ne: "!=" } as const;

export const condition = (fn: keyof typeof comparisons, [a, b]: readonly Text[]): Text => ({
  text: `${within(a!, sum)} ${comparisons[fn]} ${within(b!, sum)}`,
  tight: comparison,
});

const truth =
  (fn: keyof typeof comparisons) =>
  (args: readonly Text[]): Text =>
    atom(`(${condition(fn, args).text}).float()`);

const isNumber = ({ text }: Text): boolean => /^-?[\d.e+-]+$/.test(text);

/** A number as one of floating point: of two whole ones `torch.where` makes whole numbers. */
const float = ({ text }: Text): string => (/^-?\d+$/.test(text) ? `${text}.0` : text);

/** clamp gives the gradient of a tie to x, as the definition does. */
const clamped =
  (fn: "maximum" | "minimum") =>
  ([a, b]: readonly Text[]): Text =>
    isNumber(b!)
      ? atom(`${within(a!, tightness.atom)}.clamp(${fn === "maximum" ? "min" : "max"}=${b!.text})`)
      : atom(`${fn}(${a!.text}, ${b!.text})`);

export const scalarText: Readonly<Record<ScalarFunction, (args: readonly Text[]) => Text>> = {
  neg: ([x]) => ({ text: `-${within(x!, sign)}`, tight: sign }),
  exp: call("torch.exp"),
  expm1: call("torch.expm1"),
  log: call("torch.log"),
  log1p: call("torch.log1p"),
  sigmoid: call("torch.sigmoid"),
  softplus: call("softplus"),
  tanh: call("torch.tanh"),
  sqrt: call("torch.sqrt"),
  rsqrt: call("torch.rsqrt"),
  square: method("square"),
  reciprocal: ([x]) => ({ text: `1 / ${within(x!, sign)}`, tight: product }),
  abs: method("abs"),
  sign: method("sign"),
  floor: method("floor"),
  sin: method("sin"),
  cos: method("cos"),
  stop: method("detach"),
  to_int: method("long"),
  add: infix("+", sum, sum),
  sub: infix("-", sum, product),
  mul: infix("*", product, product),
  div: infix("/", product, sign),
  pow: ([a, b]) => ({
    text: `${within(a!, tightness.atom)} ** ${within(b!, power)}`,
    tight: power,
  }),
  maximum: clamped("maximum"),
  minimum: clamped("minimum"),
  mod: call("torch.remainder"),
  lt: truth("lt"),
  le: truth("le"),
  gt: truth("gt"),
  ge: truth("ge"),
  eq: truth("eq"),
  ne: truth("ne"),
  select: ([c, a, b]) =>
    atom(`torch.where(${c!.text}, ${isNumber(b!) ? float(a!) : a!.text}, ${b!.text})`),
};

/** What the file must import from lsm_torch.nn when it says these names. */
export const helperNames = ["softplus", "maximum", "minimum"] as const;
