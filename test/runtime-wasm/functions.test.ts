/** Accuracy of the vector functions over their whole range, in units of float32 precision. */

import { beforeAll, describe, expect, it } from "vitest";
import { scalarFunctions, type ScalarFunction } from "../../compiler/ir/scalar-functions.js";
import { type Backend, chooseBackend } from "../../runtime/tfjs/backend.js";
import type { MapKernel } from "../../runtime/tfjs/kernel-set.js";
import { random } from "../support/kernels/arbitrary.js";

let backend: Backend;
beforeAll(async () => {
  backend = await chooseBackend("wasm");
});

const kernelOf = (fn: ScalarFunction, arity: number): MapKernel => ({
  inputs: Array.from({ length: arity }, () => "A"),
  output: "A",
  reduce: null,
  code: [
    {
      fn,
      arguments: Array.from({ length: arity }, (_, index) => ({ kind: "input", index }) as const),
    },
  ],
});

function apply(fn: ScalarFunction, ...columns: readonly (readonly number[])[]): Float32Array {
  const { tf, kernels } = backend;
  const inputs = columns.map((column) => tf.tensor1d([...column]));
  const output = kernels.map(kernelOf(fn, columns.length), inputs, {});
  const values = output.dataSync() as Float32Array;
  tf.dispose([...inputs, output]);
  return values;
}

/** Floats between two numbers of one sign, as many in every octave. */
function octaves(low: number, high: number, count: number): number[] {
  const next = random(7);
  const [from, to] = [Math.log2(Math.abs(low)), Math.log2(Math.abs(high))];
  return Array.from({ length: count }, () =>
    Math.fround(Math.sign(low) * 2 ** (from + (to - from) * next())),
  );
}

const both = (low: number, high: number, count: number): number[] => [
  ...octaves(low, high, count),
  ...octaves(-low, -high, count),
];

/** Largest relative error against float64, of results that are normal floats. */
function worst(fn: ScalarFunction, xs: readonly number[]): number {
  const values = apply(fn, xs);
  let most = 0;
  xs.forEach((x, i) => {
    const wanted = scalarFunctions[fn].evaluate(x, 0, 0);
    if (Math.abs(wanted) < 2 ** -126 || Math.abs(wanted) > 3.4e38) return;
    most = Math.max(most, Math.abs(values[i]! - wanted) / Math.abs(wanted));
  });
  return most;
}

const count = 20_000;
const sweeps: readonly [ScalarFunction, readonly number[]][] = [
  ["exp", both(1e-6, 88.7, count)],
  ["expm1", both(1e-30, 88.7, count)],
  ["log", [...octaves(1e-44, 3e38, count), ...octaves(0.5, 2, count)]],
  ["log1p", [...octaves(1e-30, 1e38, count), ...octaves(-1e-30, -0.999, count)]],
  ["sigmoid", both(1e-6, 87, count)],
  ["softplus", both(1e-6, 87, count)],
  ["tanh", both(1e-30, 20, count)],
  ["sin", both(1e-20, 3, count)],
  ["cos", both(1e-6, 1.5, count)],
];

describe("vector functions", () => {
  it.each(sweeps)("%s is right to 3.5e-7 relative", (fn, xs) => {
    expect(worst(fn, xs)).toBeLessThan(3.5e-7);
  });

  it("sin and cos are right to 1.5e-7 absolute up to a million, and bounded beyond", () => {
    const xs = both(1e-3, 1e6, count);
    for (const fn of ["sin", "cos"] as const) {
      const values = apply(fn, xs);
      xs.forEach((x, i) => expect(Math.abs(values[i]! - Math[fn](x))).toBeLessThan(1.5e-7));
      for (const value of apply(fn, both(1e6, 3e38, 500)))
        expect(Math.abs(value)).toBeLessThanOrEqual(1);
    }
  });

  it("pow is right to 3.5e-7 relative", () => {
    const next = random(3);
    const as = octaves(1e-20, 1e20, count);
    const bs = as.map(() => Math.fround(8 * next() - 4));
    const values = apply("pow", as, bs);
    as.forEach((a, i) => {
      const wanted = a ** bs[i]!;
      if (wanted < 1e-37 || wanted > 3e38) return;
      expect(Math.abs(values[i]! / wanted - 1)).toBeLessThan(3.5e-7);
    });
  });

  const special = [
    0,
    -0,
    1,
    -1,
    2,
    -2,
    3,
    0.5,
    -0.5,
    2.5,
    Infinity,
    -Infinity,
    NaN,
    1e-45,
    -1e-45,
    3.4e38,
    -3.4e38,
    89,
    -104,
    1000,
    -1000,
  ];
  const unary = (Object.keys(scalarFunctions) as ScalarFunction[]).filter(
    (fn) => scalarFunctions[fn].arity === 1 && fn !== "to_int",
  );

  it.each(unary)("%s at the edges is what JavaScript says", (fn) => {
    const xs = special.map(Math.fround);
    const values = apply(fn, xs);
    xs.forEach((x, i) => {
      const wanted = Math.fround(scalarFunctions[fn].evaluate(x, 0, 0));
      const close =
        Object.is(values[i]! + 0, wanted + 0) ||
        Math.abs(values[i]! - wanted) <= 4e-7 * Math.abs(wanted) + 2e-45;
      const vast = (fn === "sin" || fn === "cos") && Math.abs(x) > 1e6;
      expect(close || vast, `${fn}(${x}) is ${values[i]}, not ${wanted}`).toBe(true);
    });
  });

  it("pow at the edges is what JavaScript says", () => {
    const pairs = special.flatMap((a) =>
      special.map((b) => [Math.fround(a), Math.fround(b)] as const),
    );
    const values = apply(
      "pow",
      pairs.map(([a]) => a),
      pairs.map(([, b]) => b),
    );
    pairs.forEach(([a, b], i) => {
      const wanted = Math.fround(a ** b);
      const close =
        Object.is(values[i]! + 0, wanted + 0) ||
        Math.abs(values[i]! - wanted) <= 4e-7 * Math.abs(wanted) + 2e-45;
      expect(close, `${a} ** ${b} is ${values[i]}, not ${wanted}`).toBe(true);
    });
  });
});
