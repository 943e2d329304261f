/**
 * Muon (Jordan et al., 2024): gradient descent with momentum whose updates of matrices are brought near the closest
 * orthogonal ones, scaled so that AdamW's learning rate and decay serve (Moonlight; Liu et al., 2025). For a weight W with gradient G:
 *
 *   M ← μ M + G        U = G + μ M        X₀ = U / (‖U‖_F + ε)
 *   A = Xᵢ Xᵢᵀ         Xᵢ₊₁ = a Xᵢ + (b A + c A²) Xᵢ                  (Newton–Schulz; all singular values go to about 1)
 *   W ← W − rate · (0.2 √max(rows, columns) · X + decay · W)
 */

import { type Axis, elementCount } from "./types.js";

/** The axes of a weight that is stored as matrices [batch…, rows…, columns…], in whatever order. */
export interface MatrixAxes {
  readonly batch: readonly string[];
  readonly rows: readonly string[];
  readonly columns: readonly string[];
}

/** What Muon has beside AdamW's learning rate and decay. */
export interface MuonOptions {
  /** μ */
  readonly momentum: number;
  /** Of Newton–Schulz. */
  readonly iterations: number;
}

/** a, b, c: steepest at 0 (Jordan et al., 2024). */
export const newtonSchulz = [3.4445, -4.775, 2.0315] as const;

/** ε, far below the norm of any gradient: what keeps an expert without tokens at 0 / ε = 0. */
export const muonEpsilon = 1e-7;

/** 0.2 √max(rows, columns): the root mean square of an update is then about AdamW's. */
export function muonScale(axes: readonly Axis[], { rows, columns }: MatrixAxes): number {
  return 0.2 * Math.sqrt(Math.max(sizeOf(axes, rows), sizeOf(axes, columns)));
}

/** The number of elements along the named axes. */
export function sizeOf(axes: readonly Axis[], names: readonly string[]): number {
  const own = axes.filter(({ name }) => names.includes(name));
  return elementCount({ dtype: "float", axes: own });
}
