/**
 * Between what numbers a value lies, as far as the way it was made says so.
 *
 * The chunk form works with logarithms of gates, so it is only for gates that cannot be negative. A gate
 * made by `exp`, `sigmoid`, `1 - sigmoid`, `1 - 2^(-5 - iota)` and the like shows that; one made by a
 * linear map does not, and its recurrence stays recurrent. A gate that cannot be below 1 is warned of.
 */

import type { Initializer } from "./initializer.js";
import type { Node, ValueId } from "./graph.js";
import type { ScalarFunction } from "./scalar-functions.js";

export interface Bounds {
  readonly low: number;
  readonly high: number;
}

/** How values were made: a builder, or a finished graph. */
export interface Origins {
  producer(id: ValueId): Node | undefined;
  /** Between what a parameter starts, for who asks how things are at the start. */
  readonly starts?: ((id: ValueId) => Bounds | undefined) | undefined;
}

export const anything: Bounds = { low: -Infinity, high: Infinity };
const between = (low: number, high: number): Bounds =>
  Number.isNaN(low) || Number.isNaN(high) ? anything : { low, high };

/** Longer chains of calculations are not looked into. */
const deepest = 64;

export function boundsOf(
  origins: Origins,
  id: ValueId,
  known = new Map<ValueId, Bounds>(),
  depth = 0,
): Bounds {
  const seen = known.get(id);
  if (seen) return seen;
  const found = depth > deepest ? anything : ofNode(origins, id, known, depth + 1);
  known.set(id, found);
  return found;
}

function ofNode(origins: Origins, id: ValueId, known: Map<ValueId, Bounds>, depth: number): Bounds {
  const node = origins.producer(id);
  if (!node) return origins.starts?.(id) ?? anything;
  const of = (input: ValueId): Bounds => boundsOf(origins, input, known, depth);
  switch (node.op) {
    case "constant":
      return between(node.attributes.value, node.attributes.value);
    case "iota":
      return between(0, node.attributes.axis.size - 1);
    case "map":
      return ofMap(node.attributes.fn, node.inputs.map(of));
    case "reduce":
      if (node.attributes.fn === "max") return of(node.inputs[0]!);
      return ofSum(of(node.inputs[0]!));
    case "concat": {
      const all = node.inputs.map(of);
      return between(
        Math.min(...all.map(({ low }) => low)),
        Math.max(...all.map(({ high }) => high)),
      );
    }
    case "expand":
    case "rename":
    case "split":
    case "merge":
    case "slice":
    case "take":
      return of(node.inputs[0]!);
    default:
      return anything;
  }
}

/** Between what numbers a parameter starts. */
export function startOf(initializer: Initializer, sizeOf: (axis: string) => number): Bounds {
  switch (initializer.kind) {
    case "constant":
      return between(initializer.value, initializer.value);
    case "normal":
      return anything;
    case "uniform":
      return between(0, 1);
    case "iota":
      return between(0, sizeOf(initializer.axis) - 1);
    case "map":
      return ofMap(
        initializer.fn,
        initializer.inputs.map((input) => startOf(input, sizeOf)),
      );
  }
}

export const sumOf = (x: Bounds, y: Bounds): Bounds => between(x.low + y.low, x.high + y.high);

/** A sum of many keeps the sign of its terms. */
const ofSum = ({ low, high }: Bounds): Bounds => ({
  low: low >= 0 ? 0 : -Infinity,
  high: high <= 0 ? 0 : Infinity,
});

function ofMap(fn: ScalarFunction, [x = anything, y = anything, z = anything]: Bounds[]): Bounds {
  switch (fn) {
    case "neg":
      return between(-x.high, -x.low);
    case "exp":
      return between(Math.exp(x.low), Math.exp(x.high));
    case "sigmoid":
      return between(0, 1);
    case "tanh":
    case "sin":
    case "cos":
    case "sign":
      return between(-1, 1);
    case "softplus":
    case "sqrt":
    case "rsqrt":
    case "square":
    case "abs":
      return between(0, Infinity);
    case "stop":
      return x;
    case "add":
      return sumOf(x, y);
    case "sub":
      return between(x.low - y.high, x.high - y.low);
    case "mul":
      return product(x, y);
    case "div":
      return product(x, inverse(y));
    case "reciprocal":
      return inverse(x);
    case "pow":
      return power(x, y);
    case "maximum":
      return between(Math.max(x.low, y.low), Math.max(x.high, y.high));
    case "minimum":
      return between(Math.min(x.low, y.low), Math.min(x.high, y.high));
    case "select":
      return between(Math.min(y.low, z.low), Math.max(y.high, z.high));
    case "lt":
    case "le":
    case "gt":
    case "ge":
    case "eq":
    case "ne":
      return between(0, 1);
    default:
      return anything;
  }
}

export function product(x: Bounds, y: Bounds): Bounds {
  // what is 0 stays 0, however large the other side may be
  const times = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b);
  const corners = [
    times(x.low, y.low),
    times(x.low, y.high),
    times(x.high, y.low),
    times(x.high, y.high),
  ];
  return between(Math.min(...corners), Math.max(...corners));
}

function inverse({ low, high }: Bounds): Bounds {
  if (low >= 0) return between(1 / high, low === 0 ? Infinity : 1 / low);
  return high < 0 ? between(1 / high, 1 / low) : anything;
}

/** Powers of what is not negative: monotonic in either side, so the corners bound them. */
function power(x: Bounds, y: Bounds): Bounds {
  if (x.low < 0) return anything;
  const corners = [x.low ** y.low, x.low ** y.high, x.high ** y.low, x.high ** y.high].map(
    (corner) => (Number.isNaN(corner) ? Infinity : corner),
  );
  return between(Math.max(0, Math.min(...corners)), Math.max(...corners));
}
