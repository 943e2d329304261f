/**
 * The kernels that emitted TypeScript calls: one interface, several implementations.
 *
 * Axes are letters: `dot("BTD,DHK->BTHK", x, w)` contracts D. A letter stands for one axis of one size
 * within a call. Every function returns fresh tensors (never one of its arguments, never a shared
 * buffer), keeps its arguments, and leaves no other tensor behind; who calls frees.
 * Floats are float32; indices (`ids`) are int32 tensors. The float64 definition of each kernel is
 * `runtime/interpret`; errors in shapes are faults of the compiler and may throw plainly.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { MatrixAxes, MuonOptions } from "../../compiler/ir/muon.js";
import type { Axis } from "../../compiler/ir/types.js";

/** Everything a `map` does at one point of its loop, made once by `defineMap`. */
export interface MapKernel {
  /** Letters of every input, as `["BTHK", "H"]`; an input lacks the axes it is repeated along. */
  readonly inputs: readonly string[];
  /** Letters of the result. */
  readonly output: string;
  /** Reduction over the letters that are in some input but not in `output`; null when there are none. */
  readonly reduce: "sum" | "max" | null;
  /** Scalar code in order; the last instruction is the value. */
  readonly code: readonly Instruction[];
}

export interface Instruction {
  readonly fn: string; // a name of compiler/ir/scalar-functions.ts
  readonly arguments: readonly Operand[];
}

export type Operand =
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "value"; readonly index: number } // result of an earlier instruction
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "position"; readonly letter: string }; // index along an axis of the loop

/** One step of a scan: receives states, one position of each sequence, statics. It frees none of them. */
export type ScanBody = (
  states: readonly Tensor[],
  sequences: readonly Tensor[],
  statics: readonly Tensor[],
) => { readonly states: Tensor[]; readonly outputs: Tensor[] };

export interface ScanOptions {
  /** Letters of every sequence input, of every output and of every state; `axis` is the letter stepped along. */
  readonly axis: string;
  readonly length: number;
  readonly sequences: readonly string[];
  readonly outputs: readonly string[];
  readonly states: readonly string[];
  readonly reverse: boolean;
  /** Flags along the axis (letters given): where not 0, states return to `restart` before the step. */
  readonly resets: {
    readonly letters: string;
    readonly flags: Tensor;
    readonly restart: readonly number[];
  } | null;
  /** Which of outputs / finals / befores are wanted; the others come back as null. */
  readonly wanted: {
    readonly outputs: readonly boolean[];
    readonly finals: readonly boolean[];
    readonly befores: readonly boolean[];
  };
}

export interface ScanResult {
  readonly outputs: (Tensor | null)[];
  readonly finals: (Tensor | null)[];
  /** States before each step, stacked along the axis, with the letters `states[i]` plus the axis after B (else first). */
  readonly befores: (Tensor | null)[];
}

export interface KernelSet {
  /** Fused elementwise code with broadcasting, and a reduction at the end if the kernel has one. */
  map(
    kernel: MapKernel,
    inputs: readonly Tensor[],
    sizes: Readonly<Record<string, number>>,
  ): Tensor;
  /** Two-operand einsum: letters missing from the result are contracted (all are in both operands). */
  dot(spec: string, a: Tensor, b: Tensor): Tensor;
  sum(spec: string, x: Tensor): Tensor;
  max(spec: string, x: Tensor): Tensor;
  /** Repeats and transposes: `expand("H->BHT", x, { B: 2, T: 8 })`; `expand("BTH->BHT", x, {})`. */
  expand(spec: string, x: Tensor, sizes: Readonly<Record<string, number>>): Tensor;
  reshape(x: Tensor, shape: readonly number[]): Tensor;
  slice(x: Tensor, axis: number, start: number, size: number): Tensor;
  pad(x: Tensor, axis: number, before: number, after: number): Tensor;
  concat(xs: readonly Tensor[], axis: number): Tensor;
  /** y[i] = x[i − by] along the axis, zero outside. */
  shift(x: Tensor, axis: number, by: number): Tensor;
  /** `take("VD,BT->BTD", "V", table, ids)`: table rows at ids along V; shared letters are aligned. */
  take(spec: string, axis: string, table: Tensor, ids: Tensor): Tensor;
  /** `put("BT,BTD->VD", "V", size, ids, values)`: values summed into zeros at ids. The adjoint of take. */
  put(spec: string, axis: string, size: number, ids: Tensor, values: Tensor): Tensor;
  /** int32 positions of the k largest along the axis, largest first, ties by position; the new axis is last. */
  topK(x: Tensor, axis: number, k: number): Tensor;
  /** int32: the stable ascending order along the axis. */
  argsort(x: Tensor, axis: number): Tensor;
  cumulate(
    x: Tensor,
    fn: "sum" | "max",
    axis: number,
    reverse: boolean,
    exclusive: boolean,
  ): Tensor;
  /**
   * `linearScan("BTH,BTHK,BHK->BTHK", "T", "plus-times", null, false, a, b, h0)`: h_t = a_t·h_{t−1} + b_t along T, or
   * max(a_t + h_{t−1}, b_t) for "max-plus"; with a modulus h mod it, and a is 0 or 1.
   */
  linearScan(
    spec: string,
    axis: string,
    semiring: "plus-times" | "max-plus",
    modulus: number | null,
    reverse: boolean,
    a: Tensor,
    b: Tensor,
    initial: Tensor,
  ): Tensor;
  /** `solve("BHRC,BHRV->BHRV", "R", "C", transposed, L, b)`: X with (I − L) X = b, L strictly lower triangular in (R, C); transposed: (I − Lᵀ) X = b, b and X indexed by R. */
  solve(
    spec: string,
    row: string,
    column: string,
    transposed: boolean,
    l: Tensor,
    b: Tensor,
  ): Tensor;
  /** `groupedDot("BSD,EDF,BS->BSF", "E", x, w, ids)`: every slot with the weights of its group. */
  groupedDot(spec: string, group: string, x: Tensor, w: Tensor, ids: Tensor): Tensor;
  /** `groupedOuter("BSD,BSF,BS->EDF", "E", groups, x, y, ids)`: Σ over the slots of each group of x · y. */
  groupedOuter(
    spec: string,
    group: string,
    groups: number,
    x: Tensor,
    y: Tensor,
    ids: Tensor,
  ): Tensor;
  /** `conv("BTHK,JHK,BT->BTHK", "T", "J", x, w, positions)`: Σⱼ w[j]·x[t−j] while j ≤ positions[t]. */
  conv(spec: string, axis: string, taps: string, x: Tensor, w: Tensor, positions: Tensor): Tensor;
  convInputGradient(
    spec: string,
    axis: string,
    taps: string,
    dy: Tensor,
    w: Tensor,
    positions: Tensor,
  ): Tensor;
  /** `convWeightGradient("BTHK,BTHK,BT->JHK", "T", "J", size, x, dy, positions)` */
  convWeightGradient(
    spec: string,
    axis: string,
    taps: string,
    size: number,
    x: Tensor,
    dy: Tensor,
    positions: Tensor,
  ): Tensor;
  scan(
    options: ScanOptions,
    initial: readonly Tensor[],
    sequences: readonly Tensor[],
    statics: readonly Tensor[],
    body: ScanBody,
  ): ScanResult;
  /** One AdamW step for one parameter: new p, m, v. `rate` and `scale` (gradient clip factor) are scalars. */
  adamw(
    options: {
      beta1: number;
      beta2: number;
      epsilon: number;
      decay: number;
      rate: number;
      step: number;
      scale: number;
    },
    p: Tensor,
    g: Tensor,
    m: Tensor,
    v: Tensor,
  ): [Tensor, Tensor, Tensor];
  /** One Muon step for one parameter: new p, m. `axes` are the parameter's, `matrix` says what they are of its matrices. */
  muon(
    options: MuonOptions & {
      axes: readonly Axis[];
      matrix: MatrixAxes;
      decay: number;
      rate: number;
      scale: number;
    },
    p: Tensor,
    g: Tensor,
    m: Tensor,
  ): [Tensor, Tensor];
}
