/** HiPPO's matrices as initialisers: elements by hand, and what the matrices are known for. */

import { expect, test } from "vitest";
import { initialValues } from "../runtime/tfjs/train/initialise.js";
import { modelOf, parametersOf } from "./support/models/instance.js";

const program = `
layer A(x: [width], n = 4, k = 4, pairs = 3) {
  legs = param([n, k], hippo_legs(n, k))
  legt = param([n, k], hippo_legt(n, k))
  input = param([n], hippo_input(n))
  lin = param([pairs], s4d_lin(pairs))
  inv = param([pairs], s4d_inv(pairs))
  x * sum(legs) * sum(legt) * sum(input) * sum(lin) * sum(inv)
}
model M { language_model(vocab: 5, width: 4, blocks: [A()]) }`;

const starts = new Map(
  parametersOf(modelOf(program)).map(({ path, type, initializer }) => [
    path.split(".").at(-1)!,
    [...initialValues({ path, axes: type.axes, initializer }, 1)],
  ]),
);
const [s3, s5, s7] = [3, 5, 7].map(Math.sqrt) as [number, number, number];

function expectClose(name: string, expected: readonly number[]): void {
  const found = starts.get(name)!;
  expect(found).toHaveLength(expected.length);
  found.forEach((value, i) => expect(value, `${name} ${i}`).toBeCloseTo(expected[i]!, 5));
}

test("LegS is lower triangular, −(n+1) on the diagonal", () => {
  expectClose("legs", [
    ...[-1, 0, 0, 0],
    ...[-s3, -2, 0, 0],
    ...[-s5, -s5 * s3, -3, 0],
    ...[-s7, -s7 * s3, -s7 * s5, -4],
  ]);
});

test("LegT alternates its signs above the diagonal", () => {
  expectClose("legt", [
    ...[-0.5, s3 / 2, -s5 / 2, s7 / 2],
    ...[-s3 / 2, -1.5, (s3 * s5) / 2, (-s3 * s7) / 2],
    ...[-s5 / 2, (-s5 * s3) / 2, -2.5, (s5 * s7) / 2],
    ...[-s7 / 2, (-s7 * s3) / 2, (-s7 * s5) / 2, -3.5],
  ]);
});

test("LegS plus half of B Bᵀ is −½ on the diagonal and skew-symmetric beside it", () => {
  const [a, b] = [starts.get("legs")!, starts.get("input")!];
  const at = (n: number, k: number): number => a[4 * n + k]! + (b[n]! * b[k]!) / 2;
  for (let n = 0; n < 4; n += 1)
    for (let k = 0; k < 4; k += 1) expect(at(n, k) + at(k, n)).toBeCloseTo(n === k ? -1 : 0, 5);
});

test("S4D's imaginary parts", () => {
  expectClose("lin", [0, Math.PI, 2 * Math.PI]);
  expectClose(
    "inv",
    [30, 6, 6 / 5].map((x) => x / Math.PI),
  );
});
