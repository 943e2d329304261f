/** Sizes where block edges lie: contractions and reductions larger than the shared cases make them. */

import fc from "fast-check";
import type { Tensor } from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { type Backend, chooseBackend } from "../../runtime/tfjs/backend.js";
import { defineMap } from "../../runtime/tfjs/map.js";
import { random, type Random } from "../support/kernels/arbitrary.js";

let backend: Backend;
beforeAll(async () => {
  backend = await chooseBackend("wasm");
});

const numbers = (next: Random, count: number): Float32Array =>
  Float32Array.from({ length: count }, () => 2 * next() - 1);

/** Σ_k a[m·am + k·ak] · b[k·bk + n·bn] */
function reference(
  a: Float32Array,
  b: Float32Array,
  [m, n, k]: readonly [number, number, number],
  am: number,
  ak: number,
  bk: number,
  bn: number,
): Float64Array {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let l = 0; l < k; l++)
      for (let j = 0; j < n; j++) c[i * n + j]! += a[i * am + l * ak]! * b[l * bk + j * bn]!;
  return c;
}

function expectClose(result: Tensor, expected: ArrayLike<number>, tolerance: number): void {
  const values = result.dataSync();
  let worst = 0;
  for (let i = 0; i < expected.length; i++)
    worst = Math.max(worst, Math.abs(values[i]! - expected[i]!));
  expect(worst).toBeLessThan(tolerance);
}

describe("block edges", () => {
  it("of contractions, in all four transpositions", () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 300 }));
    fc.assert(
      fc.property(
        fc.tuple(size, size, size),
        fc.boolean(),
        fc.boolean(),
        fc.integer(),
        (sizes, ta, tb, seed) => {
          const [m, n, k] = sizes;
          const { tf, kernels } = backend;
          const next = random(seed);
          const [a, b] = [numbers(next, m * k), numbers(next, k * n)];
          const [x, y] = [tf.tensor(a, ta ? [k, m] : [m, k]), tf.tensor(b, tb ? [n, k] : [k, n])];
          const result = kernels.dot(`${ta ? "KM" : "MK"},${tb ? "NK" : "KN"}->MN`, x, y);
          expectClose(
            result,
            reference(a, b, sizes, ta ? 1 : k, ta ? m : 1, tb ? 1 : n, tb ? k : 1),
            2e-5,
          );
          tf.dispose([x, y, result]);
        },
      ),
      { numRuns: 60, seed: 5 },
    );
  });

  it("of a contraction longer than every block", () => {
    const { tf, kernels } = backend;
    const next = random(2);
    const sizes = [133, 1030, 515] as const;
    const [m, n, k] = sizes;
    const [a, b] = [numbers(next, m * k), numbers(next, k * n)];
    const [x, y] = [tf.tensor(a, [k, m]), tf.tensor(b, [k, n])];
    const result = kernels.dot("KM,KN->MN", x, y);
    expectClose(result, reference(a, b, sizes, 1, m, n, 1), 4e-5);
    tf.dispose([x, y, result]);
  });

  it.each([
    ["AB->BA", [37, 53]],
    ["ABC->ACB", [2, 100, 6]],
    ["ABC->CAB", [5, 18, 35]],
    ["ABCD->DBCA", [33, 2, 3, 21]],
  ] as const)("of transposition %s", (spec, shape) => {
    const { tf, kernels } = backend;
    const [letters, output] = spec.split("->") as [string, string];
    const x = tf
      .range(
        0,
        shape.reduce((a, b) => a * b, 1),
      )
      .reshape([...shape]);
    const result = kernels.expand(spec, x, {});
    const expected = tf.transpose(
      x,
      [...output].map((letter) => letters.indexOf(letter)),
    );
    expect([...result.dataSync()]).toEqual([...expected.dataSync()]);
    tf.dispose([x, result, expected]);
  });

  it.each([
    ["x:ABC -> C", [3, 700, 37]],
    ["x:ABC -> AB", [3, 37, 1500]],
    ["x:ABC -> AC", [5, 300, 18]],
    ["x:ABC -> B", [70, 9, 70]],
    ["x:ABC ->", [10, 100, 101]],
    ["x:ABC -> CA", [4, 129, 19]],
  ] as const)("of sums %s are right to a few units", (spec, shape) => {
    const { tf, kernels } = backend;
    const next = random(9);
    const x = numbers(next, shape[0] * shape[1] * shape[2]).map((value) => value + 1);
    const tensor = tf.tensor(x, [...shape]);
    const result = kernels.map(defineMap(spec, "x", "sum"), [tensor], {});
    const output = spec.split("->")[1]!.trim();
    const expected = new Float64Array(result.size);
    x.forEach((value, i) => {
      const index = {
        A: Math.floor(i / shape[1] / shape[2]),
        B: Math.floor(i / shape[2]) % shape[1],
        C: i % shape[2],
      };
      const sizes = { A: shape[0], B: shape[1], C: shape[2] };
      let at = 0;
      for (const letter of output as Iterable<"A" | "B" | "C">)
        at = at * sizes[letter] + index[letter];
      expected[at]! += value;
    });
    const values = result.dataSync();
    expected.forEach((wanted, i) => expect(Math.abs(values[i]! / wanted - 1)).toBeLessThan(1e-6));
    tf.dispose([tensor, result]);
  });

  it("of a sum of a million equal terms, where a running float sum is off by 1%", () => {
    const { tf, kernels } = backend;
    const x = tf.fill([1_000_003], 0.1);
    const result = kernels.sum("A->", x);
    expect(Math.abs(result.dataSync()[0]! / (1_000_003 * Math.fround(0.1)) - 1)).toBeLessThan(5e-6);
    tf.dispose([x, result]);
  });
});
