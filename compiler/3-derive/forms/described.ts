/** A step in normal form as data for people: its equation, and what each symbol of it stands for. */

import type { GraphBuilder } from "../../ir/builder.js";
import type { NodeOf, ValueId } from "../../ir/graph.js";
import { type Axis, hasAxis, withoutAxes } from "../../ir/types.js";
import type { OuterProduct } from "./factors.js";
import type { NormalForm, Read } from "./normal-form.js";
import type { Tropical } from "./tropical.js";
import { written } from "./written.js";

export interface Operand {
  readonly symbol: string;
  readonly axes: readonly Axis[]; // without batch and time
  readonly ofToken: boolean; // else it is the same for all tokens
  readonly written: string; // in the user's names
}

export interface NormalStep {
  readonly axes: readonly Axis[]; // the state's
  readonly equations: readonly string[]; // of the step, then of each read
  readonly operands: readonly Operand[];
  readonly absent: readonly string[]; // symbols of the whole normal form that this one has not
}

type Scan = Pick<NodeOf<"scan">, "attributes">;

/** Collects operands under their symbols, numbered where there are several of a kind. */
class Symbols {
  readonly operands: Operand[] = [];

  constructor(
    private readonly b: GraphBuilder,
    private readonly axis: string,
  ) {}

  /** The symbol with its index t, for an equation; `at` counts from 0, of `of`. */
  name(symbol: string, value: ValueId, at = 0, of = 1): string {
    const { b, axis } = this;
    const numbered = of > 1 ? `${symbol}${superscripts[at + 1] ?? `(${at + 1})`}` : symbol;
    const type = b.type(value);
    const ofToken = hasAxis(type, axis);
    this.operands.push({
      symbol: numbered,
      axes: withoutAxes(type.axes, ["batch", axis]),
      ofToken,
      written: written(b, value),
    });
    return ofToken ? `${numbered}_t` : numbered;
  }
}

const superscripts = ["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"];

const shortName = (label: string): string => label.slice(label.lastIndexOf(".") + 1);

/** An affine step; `products` are its writes as outer products, where it has a chunk form. */
export function affineStep(
  b: GraphBuilder,
  { attributes: { axis, label } }: Scan,
  state: ValueId,
  form: NormalForm,
  products: readonly OuterProduct[] | null,
): NormalStep {
  const S = shortName(label);
  const symbols = new Symbols(b, axis);
  const { gate, turn, erases, writes, modulus } = form;
  const decay = gate === null ? "" : `${symbols.name("Λ", gate)} ∘ `;
  const rotation = turn === null ? "" : `R(${symbols.name("θ", turn.angle)}) `;
  const terms = [`${decay}${rotation}${S}_{t−1}`];
  erases.forEach((erase, i) => {
    const a = symbols.name("a", erase.a, i, erases.length);
    terms.push(`${a} (${symbols.name("b", erase.b, i, erases.length)}ᵀ ${S}_{t−1})`);
  });
  if (products === null)
    writes.forEach((write, i) => terms.push(symbols.name("x", write, i, writes.length)));
  else
    products.forEach(({ key, value }, i) => {
      const k = symbols.name("k", key, i, products.length);
      terms.push(`${k} ${symbols.name("v", value, i, products.length)}ᵀ`);
    });
  const sum = terms.join(" + ");
  const step = `${S}_t = ${modulus === null ? sum : `(${sum}) mod ${modulus}`}`;
  const reads = form.obstacle === null && form.key.length > 0 ? form.reads : [];
  const equations = [
    step,
    ...reads.map((read, i) => readEquation(symbols, S, read, i, reads.length)),
  ];
  const absent = [
    ...(gate === null ? ["Λ"] : []),
    ...(erases.length === 0 ? ["a", "b"] : []),
    ...(writes.length > 0 ? [] : ["k", "v"]),
  ];
  return { axes: stateAxes(b, state), equations, operands: symbols.operands, absent };
}

/** y_t = c_t ∘ (q_tᵀ S_t) + u_t */
function readEquation(
  symbols: Symbols,
  S: string,
  { query, scale, plus, when }: Read,
  at: number,
  of: number,
): string {
  const q = symbols.name("q", query, at, of);
  const read = `${q}ᵀ ${S}_${when === "new" ? "t" : "{t−1}"}`;
  const scaled = scale === null ? read : `${symbols.name("c", scale, at, of)} ∘ (${read})`;
  const whole = plus === null ? scaled : `${scaled} + ${symbols.name("u", plus, at, of)}`;
  return `y${of > 1 ? (superscripts[at + 1] ?? `(${at + 1})`) : ""}_t = ${whole}`;
}

/** A step in the max-plus semiring. */
export function tropicalEquation(
  b: GraphBuilder,
  { attributes: { axis, label } }: Scan,
  state: ValueId,
  { shift, floor, negated }: Tropical,
): NormalStep {
  const S = shortName(label);
  const symbols = new Symbols(b, axis);
  const moved = `${symbols.name("f", shift)} + ${S}_{t−1}`;
  const step = `${S}_t = ${negated ? "min" : "max"}(${moved}, ${symbols.name("i", floor)})`;
  return { axes: stateAxes(b, state), equations: [step], operands: symbols.operands, absent: [] };
}

const stateAxes = (b: GraphBuilder, state: ValueId): Axis[] =>
  withoutAxes(b.type(state).axes, ["batch"]);
