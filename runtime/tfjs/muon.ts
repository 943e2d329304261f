/**
 * Muon (Jordan et al., 2024; scaled as in Moonlight, Liu et al., 2025), made of products and maps, which every backend has. For a
 * weight W of matrices [batch…, rows…, columns…] and g the gradient times `scale`:
 *
 *   m ← μ m + g        u = g + μ m        X₀ = u / (‖u‖ + ε), each matrix by its own norm
 *   A = Xᵢ Xᵢᵀ         Xᵢ₊₁ = a Xᵢ + (b A + c A²) Xᵢ
 *   W ← W − rate · (0.2 √max(rows, columns) · X + decay · W)
 */

import type { Tensor } from "@tensorflow/tfjs";
import {
  type MatrixAxes,
  muonEpsilon,
  muonScale,
  newtonSchulz,
  sizeOf,
} from "../../compiler/ir/muon.js";
import type { Axis } from "../../compiler/ir/types.js";
import type { Tf } from "./generic/context.js";
import type { Instruction, KernelSet, MapKernel, Operand } from "./kernel-set.js";

export type Products = Pick<KernelSet, "map" | "dot">;

export function createMuon(tf: Tf, kernels: Products): KernelSet["muon"] {
  return ({ axes, matrix, momentum, iterations, decay, rate, scale }, p, g, m) => {
    const { all } = spellingOf(axes, matrix);
    const [clip, speed] = [tf.scalar(scale), tf.scalar(rate)];
    const newM = kernels.map(momentumMap(all, momentum), [g, m, clip], {});
    const u = kernels.map(momentumMap(all, momentum), [g, newM, clip], {});
    const X = orthogonalise(kernels, axes, matrix, iterations, u);
    const step = stepMap(all, muonScale(axes, matrix), decay);
    const newP = kernels.map(step, [p, X, speed], {});
    for (const used of [clip, speed, u, X]) used.dispose();
    return [newP, newM];
  };
}

/** X near U Vᵀ of u = U Σ Vᵀ, matrix by matrix; keeps u. */
export function orthogonalise(
  kernels: Products,
  axes: readonly Axis[],
  matrix: MatrixAxes,
  iterations: number,
  u: Tensor,
): Tensor {
  const { all, batch, mirrored, square, left, right } = spellingOf(axes, matrix);
  const [a, b, c] = newtonSchulz;
  const squares = kernels.map(squaresMap(all, batch), [u], {});
  let X = kernels.map(normaliseMap(all, batch), [u, squares], {});
  squares.dispose();
  for (let i = 0; i < iterations; i += 1) {
    const A = kernels.dot(`${all},${mirrored}->${square}`, X, X);
    const AA = kernels.dot(`${left},${right}->${square}`, A, A);
    const B = kernels.map(sumMap(square, b, c), [A, AA], {});
    const BX = kernels.dot(`${square},${mirrored}->${all}`, B, X);
    const next = kernels.map(sumMap(all, a, 1), [X, BX], {});
    for (const used of [A, AA, B, BX, X]) used.dispose();
    X = next;
  }
  return X;
}

/** The letters of a weight's products with itself; s, s' and s'' are its rows, or its columns where these are fewer. */
export interface Spelling {
  readonly all: string; // of the weight, in its order
  readonly batch: string;
  readonly mirrored: string; // of the weight, with s' for s
  readonly square: string; // batch s s'
  readonly left: string; // batch s s''
  readonly right: string; // batch s'' s'
}

export function spellingOf(axes: readonly Axis[], { batch, rows, columns }: MatrixAxes): Spelling {
  const short = sizeOf(axes, rows) <= sizeOf(axes, columns) ? rows : columns;
  const letters = (names: readonly string[], copy: number): string =>
    axes
      .map(({ name }, i) => (names.includes(name) ? alphabet[copy * axes.length + i]! : ""))
      .join("");
  const names = axes.map(({ name }) => name);
  const all = letters(names, 0);
  const b = letters(batch, 0);
  const [s, mirror, third] = [0, 1, 2].map((copy) => letters(short, copy)) as [
    string,
    string,
    string,
  ];
  const mirrored = [...all]
    .map((one) => (s.includes(one) ? mirror[s.indexOf(one)]! : one))
    .join("");
  return {
    all,
    batch: b,
    mirrored,
    square: b + s + mirror,
    left: b + s + third,
    right: b + third + mirror,
  };
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const input = (index: number): Operand => ({ kind: "input", index });
const value = (index: number): Operand => ({ kind: "value", index });
const constant = (of: number): Operand => ({ kind: "constant", value: of });
const code = (fn: string, ...given: Operand[]): Instruction => ({ fn, arguments: given });

/** Backends know a kernel by its identity. */
const kept = new Map<string, MapKernel>();

function map(
  name: string,
  inputs: readonly string[],
  output: string,
  reduce: MapKernel["reduce"],
  ...instructions: readonly Instruction[]
): MapKernel {
  const key = `${name} ${inputs.join()} ${output}`;
  const known = kept.get(key) ?? { inputs, output, reduce, code: instructions };
  kept.set(key, known);
  return known;
}

/** clip · g + μ m */
const momentumMap = (all: string, momentum: number): MapKernel =>
  map(
    `momentum ${momentum}`,
    [all, all, ""],
    all,
    null,
    code("mul", input(0), input(2)),
    code("mul", input(1), constant(momentum)),
    code("add", value(0), value(1)),
  );

/** Σ u² of each matrix */
const squaresMap = (all: string, batch: string): MapKernel =>
  map("squares", [all], batch, "sum", code("square", input(0)));

/** u / (√squares + ε) */
const normaliseMap = (all: string, batch: string): MapKernel =>
  map(
    "normalise",
    [all, batch],
    all,
    null,
    code("sqrt", input(1)),
    code("add", value(0), constant(muonEpsilon)),
    code("div", input(0), value(1)),
  );

/** a x + b y */
const sumMap = (letters: string, a: number, b: number): MapKernel =>
  map(
    `sum ${a} ${b}`,
    [letters, letters],
    letters,
    null,
    code("mul", input(0), constant(a)),
    code("mul", input(1), constant(b)),
    code("add", value(0), value(1)),
  );

/** p − rate · (scale · X + decay · p) */
const stepMap = (all: string, scale: number, decay: number): MapKernel =>
  map(
    `step ${scale} ${decay}`,
    [all, all, ""],
    all,
    null,
    code("mul", input(1), constant(scale)),
    code("mul", input(0), constant(decay)),
    code("add", value(0), value(1)),
    code("mul", value(2), input(2)),
    code("sub", input(0), value(3)),
  );
