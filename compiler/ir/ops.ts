/**
 * The op set: one row per op with its attributes. Every table over ops (shape rule, gradient,
 * interpreter, target) is typed by this one, so a missing row is a type error.
 *
 * Axes are named; "over" always lists axis names. Inputs and outputs are in the order given here.
 */

import type { Graph } from "./graph.js";
import type { MatrixAxes, MuonOptions } from "./muon.js";
import type { Axis, DType } from "./types.js";
import type { ScalarFunction } from "./scalar-functions.js";

/** The two meanings of ⊗ and ⊕ in h_t = a_t ⊗ h_{t−1} ⊕ b_t. */
export type Semiring = "plus-times" | "max-plus";

/** Parts of the logarithm of a decay with every axis of its state. */
export type ElementDecay = "step" | "rate" | "log_key" | "log_value";

export interface OpAttributes {
  // ── leaves ──
  /** () → scalar */
  constant: { readonly value: number };
  /** () → [axis]: 0, 1, 2, … */
  iota: { readonly axis: Axis };

  // ── elementwise, reductions, contractions ──
  /** (x₁ … xₙ) → union of their axes */
  map: { readonly fn: ScalarFunction };
  /** (x) → x without `over` */
  reduce: { readonly fn: "sum" | "max"; readonly over: readonly string[] };
  /** (a, b) → union of their axes without `over`; every other shared axis is a batch axis */
  dot: { readonly over: readonly string[] };
  /** (x) → x repeated along new leading or inner axes, in exactly the order of `axes` */
  expand: { readonly axes: readonly Axis[] };

  // ── structure ──
  /** (x) → x with axes renamed; values and order stay */
  rename: { readonly names: Readonly<Record<string, string>> };
  /** (x) → axis replaced by [outer, inner] in place */
  split: { readonly axis: string; readonly outer: Axis; readonly inner: Axis };
  /** (x) → axes [outer, inner], brought next to each other, become one */
  merge: { readonly outer: string; readonly inner: string; readonly into: string };
  /** (x) → elements start … start+size of axis */
  slice: { readonly axis: string; readonly start: number; readonly size: number };
  /** (x) → axis with zeros before and after */
  pad: { readonly axis: string; readonly before: number; readonly after: number };
  /** (x₁ … xₙ) → joined along axis */
  concat: { readonly axis: string };
  /** (x) → y[i] = x[i − by] along axis, zero outside; by may be negative */
  shift: { readonly axis: string; readonly by: number };
  /**
   * (x, angle) → the pairs (x_i, x_{i + size/2}) along `over` turned by the angle of that pair:
   * (x_i cos − x_{i + size/2} sin, x_i sin + x_{i + size/2} cos); the angle's `pairs` has half the size of `over`
   */
  rotate: { readonly over: string; readonly pairs: string };

  // ── indices ──
  /** (table, ids) → table rows at ids along axis; axes shared by name are aligned */
  take: { readonly axis: string };
  /** (ids, values) → the adjoint of take: values summed into zeros at ids along the new axis, over `over` */
  put: { readonly axis: Axis; readonly over: readonly string[] };
  /** (x) → int [.., into]: positions of the k largest along axis, largest first, ties by position */
  top_k: { readonly axis: string; readonly into: Axis };
  /** (x) → int: the stable order that sorts x along axis */
  argsort: { readonly axis: string };
  /** (x) → running sum or maximum along axis */
  cumulate: {
    readonly fn: "sum" | "max";
    readonly axis: string;
    readonly reverse: boolean;
    readonly exclusive: boolean;
  };
  /**
   * (a, b, h₀) → h: h_t = a_t ∘ h_{t−1} + b_t along axis (from its end if `reverse`), or in the max-plus semiring
   * h_t = max(a_t + h_{t−1}, b_t). b has the axes of h, h₀ those without `axis`, and a some of them. A `modulus`
   * keeps h in [0, modulus) after every step; a is then 0 or 1. `ties` says whose gradient equal sides of a
   * maximum take.
   */
  linear_scan: {
    readonly axis: string;
    readonly semiring: Semiring;
    readonly modulus: number | null;
    readonly reverse: boolean;
    readonly ties: "state" | "input";
  };

  // ── structured kernels ──
  /** (L, B) → X with (I − L) X = B, L strictly lower triangular [.., row, column], or its transpose's solution */
  solve: { readonly row: string; readonly column: string; readonly transposed: boolean };
  /** (x, w, ids) → dot(x, w[ids], over): each slot with its own expert's weights; `group` is w's expert axis */
  grouped_dot: { readonly over: readonly string[]; readonly group: string };
  /** (x, y, ids) → [group, …]: Σ over slots with id = g of x · y, over the axes `over` (the slot axes) */
  grouped_outer: { readonly group: Axis; readonly over: readonly string[] };
  /** (x, w, positions) → causal depthwise convolution along axis: Σⱼ w[j] · x[t−j] while j ≤ positions[t] */
  conv: { readonly axis: string; readonly taps: string };
  /** (x, positions) → x of `by` tokens ago along axis, zero before its document has that many */
  delay: { readonly axis: string; readonly by: number };
  /**
   * (expert, time, positions) → [batch, slots]: for the slots of a route sorted by expert, how many slots
   * of the same expert and document come before; expert and time int [batch, slots], positions [batch, time]
   */
  slot_positions: { readonly experts: Axis };
  /** (dy, w, positions) → dx */
  conv_input_gradient: { readonly axis: string; readonly taps: string };
  /** (x, dy, positions) → dw [taps, …axes] */
  conv_weight_gradient: {
    readonly axis: string;
    readonly taps: Axis;
    readonly axes: readonly Axis[];
  };
  /**
   * (q, k, v, positions) → softmax attention within documents. Query t sees key j when no document starts
   * between them (t − j ≤ positions[t] and j − t ≤ positions[j]), when |t − j| < window if there is one,
   * and when j ≤ t if causal. Scores are scaled by `scale`.
   */
  attend: {
    readonly axis: string;
    readonly key: string;
    readonly window: number | null;
    readonly causal: boolean;
    readonly scale: number;
  };
  /**
   * One step a position along `axis`: inputs are initial states, then sequences (with the axis), then
   * statics; `body` maps (states, one position of each sequence, statics) to (new states, outputs).
   * With `resets`, the first sequence input is a flag, not seen by the body: where it is not 0 the
   * states return to their `restart` values before the step.
   * Outputs: outputs (with the axis), final states, states before each step, after a reset (with the axis).
   */
  scan: {
    readonly axis: string;
    readonly body: Graph;
    readonly states: number;
    readonly sequences: number; // without the reset flag
    readonly resets: boolean;
    readonly restart: readonly number[]; // one value a state
    readonly reverse: boolean;
    readonly label: string; // the states' names in the source
    readonly chunk: number | null; // chunk size asked for by `at chunk(n)`
  };
  /**
   * A recurrence in normal form, for targets with a kernel of their own:
   * (S₀, positions, q, log Λ if gated, k₁ v₁ k₂ v₂ …, a₁ b₁ a₂ b₂ …) → (y along `axis`, the final state)
   *
   *     S_t = Λ_t ∘ S_{t−1} + Σ a (bᵀ S_{t−1}) + Σ k vᵀ,   y_t = qᵀ S_t, or qᵀ S_{t−1} if it reads before
   *
   * q and b contract the axes of `key`. Where a position is 0 the state is 0 before the step. What lacks
   * `axis`, or axes of the state, is the same along them.
   */
  recurrence: {
    readonly axis: string;
    readonly key: readonly string[];
    readonly gated: boolean;
    readonly writes: number;
    readonly erases: number;
    readonly read: "after" | "before";
    readonly label: string; // the state's name in the source
  };
  /**
   * (S₀, positions, a, b) → the states S_t = a_t ⊗ S_{t−1} ⊕ b_t along axis, for targets with a scan of their own. Where a
   * position is 0 the state is `restart` before the step. b has the axes of the states, and a some of them; `modulus` and
   * `ties` are those of linear_scan.
   */
  state_scan: {
    readonly axis: string;
    readonly semiring: Semiring;
    readonly modulus: number | null;
    readonly ties: "state" | "input";
    readonly restart: number;
  };
  /**
   * A recurrence whose decay has every axis of the state, for targets with a kernel for it:
   * (S₀, positions, q, k, v, what `decay` names) → y along `axis`
   *
   *     S_t = exp(step ∘ rate + log_key + log_value) ∘ S_{t−1} + k v,   y_t = qᵀ S_t, or qᵀ S_{t−1} if it reads before
   *
   * q contracts the axes of `key`. What has `axis` has axes of `key` or of `value`, not both: v, step and log_value those of
   * `value`, log_key those of `key`; q and k may lack `axis`, and rate does, and then have both. What is not named is 0, a missing step 1.
   */
  selective_scan: {
    readonly axis: string;
    readonly key: readonly string[];
    readonly value: readonly string[];
    readonly decay: readonly ElementDecay[];
    readonly read: "after" | "before";
    readonly label: string; // the state's name in the source
  };
  /**
   * (p, g, m, v, rate, step) → (p, m, v): one AdamW step (Loshchilov & Hutter, 2019) at learning rate
   * `rate` for step 1, 2, …, with decoupled weight decay.
   */
  adamw: {
    readonly beta1: number;
    readonly beta2: number;
    readonly epsilon: number;
    readonly decay: number;
  };
  /** (p, g, m, rate) → (p, m): one Muon step (ir/muon.ts) at learning rate `rate`, with decoupled weight decay. */
  muon: MuonOptions & { readonly matrix: MatrixAxes; readonly decay: number };
  /** A block: another function of the module, its parameters found under `prefix`. */
  call: { readonly callee: string; readonly prefix: string };

  // ── token level only: 1-check makes them, 2-lower takes them away ──
  /** () → the state's current value */
  state: { readonly state: string };
  /** (x) → x, from now on the state's value */
  write: { readonly state: string; readonly chunk: number | null };
  /** (x) → x of `by` tokens ago in the same document, zero before its first token */
  lag: { readonly by: number };
  /** () → int: the token's position in its document */
  position: Record<never, never>;
  /** () → a named input of the model, one of every token (`tokens`, `targets`) or of a whole window (`series`) */
  source: {
    readonly source: string;
    readonly dtype: DType;
    readonly axes: readonly Axis[];
    readonly along: "tokens" | "window";
  };
  /** (x of a window) → tokens: consecutive patches of `axis`, each with the axis `patch` */
  patches: { readonly axis: string; readonly patch: Axis };
  /** (x of every token) → one value of the window, with the tokens along `tokens`; a window's value is itself */
  all_tokens: { readonly tokens: Axis };
  /** (x) → its mean over all tokens of the batch */
  token_mean: Record<never, never>;
  /** (body, weights, choices) → Σ over picks of weight · body of that pick */
  mix: { readonly region: number; readonly experts: Axis };
}

export type OpName = keyof OpAttributes;

/** Ops that may not appear once a graph is lowered. */
export const tokenOps = [
  "state",
  "write",
  "lag",
  "position",
  "source",
  "patches",
  "all_tokens",
  "token_mean",
  "mix",
] as const satisfies readonly OpName[];
