/** One step of Muon (compiler/ir/muon.ts), matrix by matrix. */

import { muonEpsilon, muonScale, newtonSchulz } from "../../compiler/ir/muon.js";
import type { OpAttributes } from "../../compiler/ir/ops.js";
import type { Axis } from "../../compiler/ir/types.js";
import { type Tensor, tensor, visit } from "./tensor.js";

export function muon(
  { momentum, iterations, decay, matrix }: OpAttributes["muon"],
  [p, g, m, rate]: readonly Tensor[],
): [Tensor, Tensor] {
  const { axes } = p!;
  const newM = tensor(
    axes,
    m!.data.map((one, i) => momentum * one + g!.data[i]!),
  );
  const update = g!.data.map((one, i) => one + momentum * newM.data[i]!);
  const scale = muonScale(axes, matrix);
  const newP = tensor(axes);
  const [batch, rows, columns] = [matrix.batch, matrix.rows, matrix.columns].map((names) =>
    offsets(axes, names),
  );
  for (const start of batch!) {
    const at = (row: number, column: number): number => start + rows![row]! + columns![column]!;
    const U = rows!.map((_, row) => columns!.map((_, column) => update[at(row, column)]!));
    orthogonalise(U, iterations).forEach((row, i) => {
      row.forEach((x, j) => {
        const w = p!.data[at(i, j)]!;
        newP.data[at(i, j)] = w - rate!.data[0]! * (scale * x + decay * w);
      });
    });
  }
  return [newP, newM];
}

type Matrix = number[][];

/** X near U Vᵀ of U Σ Vᵀ, by Newton–Schulz. */
function orthogonalise(U: Matrix, iterations: number): Matrix {
  const norm = Math.sqrt(U.flat().reduce((sum, x) => sum + x * x, 0));
  const [a, b, c] = newtonSchulz;
  let X = U.map((row) => row.map((x) => x / (norm + muonEpsilon)));
  for (let i = 0; i < iterations; i += 1) {
    const A = times(X, transposed(X));
    const AA = times(A, A);
    const B = A.map((row, j) => row.map((x, k) => b * x + c * AA[j]![k]!));
    const BX = times(B, X);
    X = X.map((row, j) => row.map((x, k) => a * x + BX[j]![k]!));
  }
  return X;
}

function times(A: Matrix, B: Matrix): Matrix {
  return A.map((row) =>
    B[0]!.map((_, column) => row.reduce((sum, x, k) => sum + x * B[k]![column]!, 0)),
  );
}

const transposed = (A: Matrix): Matrix => A[0]!.map((_, column) => A.map((row) => row[column]!));

/** Where the elements along the named axes lie, in their order. */
function offsets(axes: readonly Axis[], names: readonly string[]): number[] {
  const loop = axes.filter(({ name }) => names.includes(name));
  const found: number[] = [];
  visit(loop, [axes], (o) => found.push(o[0]!));
  return found;
}
