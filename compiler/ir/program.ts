/**
 * The scheduled kernel graph: every function as a flat list of steps with explicit memory.
 *
 * A buffer is one tensor in memory; a step's operands say how its buffer's axes are named there, so a
 * `rename` costs nothing. Plain data; `printProgram` is its text.
 */

import type { OpAttributes, OpName } from "./ops.js";
import type { Graph, ValueId } from "./graph.js";
import type { ScalarFunction } from "./scalar-functions.js";
import type { TensorType } from "./types.js";
import type { Initializer } from "./initializer.js";
import { matrixWeights, sameMatrix } from "./matrix-weights.js";
import type { MatrixAxes, MuonOptions } from "./muon.js";

export type BufferId = number;

export interface Buffer {
  readonly type: TensorType;
  readonly name: string | null; // the user's name for what it holds
  /** The value of the token graph that it was made for. */
  readonly origin?: ValueId | null;
}

/** A buffer as a kernel sees it. */
export interface Operand {
  readonly buffer: BufferId;
  readonly type: TensorType;
}

/** Scalar code of a fused map, in order; the last instruction is the value. */
export interface Instruction {
  readonly fn: ScalarFunction;
  readonly arguments: readonly ScalarOperand[];
}

export type ScalarOperand =
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "value"; readonly index: number }
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "position"; readonly axis: string };

/** Elementwise code over `loop`, then a reduction over the loop's axes that the output lacks. */
export interface MapKernel {
  readonly op: "map";
  readonly code: readonly Instruction[];
  readonly loop: TensorType;
  readonly reduce: "sum" | "max" | null;
}

/** Ops that are kernels as they are. */
export type PlainKernelOp = Exclude<
  OpName,
  | "constant"
  | "iota"
  | "map"
  | "reduce"
  | "rename"
  | "scan"
  | "call"
  | "adamw"
  | "muon"
  | "recurrence"
  | "state_scan"
  | "selective_scan"
  | "attend"
  | "delay"
  | "rotate"
  | "slot_positions"
  | "state"
  | "write"
  | "lag"
  | "position"
  | "source"
  | "patches"
  | "all_tokens"
  | "token_mean"
  | "mix"
>;

export type PlainKernel = {
  [Op in PlainKernelOp]: { readonly op: Op; readonly attributes: OpAttributes[Op] };
}[PlainKernelOp];

/** A loop along an axis: its body is a function of its own. */
export interface ScanKernel {
  readonly op: "scan";
  readonly attributes: Omit<OpAttributes["scan"], "body">;
  readonly body: ProgramFunction;
}

export type Kernel = MapKernel | PlainKernel | ScanKernel;

export type Step =
  | { readonly kind: "alloc"; readonly buffer: BufferId }
  | {
      readonly kind: "run";
      readonly kernel: Kernel;
      readonly inputs: readonly Operand[];
      readonly outputs: readonly (Operand | null)[]; // null: not wanted (of a scan)
    }
  | {
      readonly kind: "call";
      readonly callee: string;
      readonly prefix: string;
      readonly inputs: readonly BufferId[];
      readonly outputs: readonly (BufferId | null)[];
    }
  | { readonly kind: "optimize"; readonly optimize: Optimize }
  | { readonly kind: "free"; readonly buffer: BufferId };

/**
 * The end of a training step: clips the gradients' global norm, then steps every parameter by AdamW, or those with a
 * `matrix` by Muon, at the learning rate and step number the loop gives. Parameters and their moments (AdamW's two,
 * Muon's one) are the loop's and are replaced; `norm` receives the norm before clipping.
 */
export interface Optimize {
  readonly norm: BufferId;
  readonly gradients: readonly {
    readonly path: string;
    readonly buffer: BufferId;
    readonly decay: boolean;
    /** What Muon makes orthogonal; null: AdamW trains it. */
    readonly matrix: MatrixAxes | null;
  }[];
  readonly clip: number | null;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly decay: number;
  /** null: AdamW trains everything. */
  readonly muon: MuonOptions | null;
}

export interface NamedBuffer {
  readonly name: string;
  readonly buffer: BufferId;
}

export interface ProgramParameter {
  readonly path: string; // within the function
  readonly buffer: BufferId;
}

export interface ProgramFunction {
  readonly name: string;
  readonly buffers: readonly Buffer[];
  readonly inputs: readonly NamedBuffer[];
  readonly parameters: readonly ProgramParameter[];
  readonly steps: readonly Step[];
  /** In the order of a call: outputs, penalties, updates, metrics. Owned by the caller. */
  readonly outputs: readonly NamedBuffer[];
  readonly penalties: readonly NamedBuffer[];
  readonly updates: readonly { readonly path: string; readonly buffer: BufferId }[];
  readonly metrics: readonly NamedBuffer[];
}

export interface Program {
  readonly main: string;
  readonly functions: ReadonlyMap<string, ProgramFunction>;
}

/** A parameter of the whole model. */
export interface ModelParameter {
  readonly path: string;
  readonly type: TensorType;
  readonly initializer: Initializer;
  readonly trainable: boolean;
  readonly decay: boolean;
  /** Its axes as those of matrices, if it is nothing but a factor of products with tokens: what Muon can train. */
  readonly matrix: MatrixAxes | null;
}

/** All parameters that `main` and what it calls have, each path once, in order of first use. */
export function modelParameters(
  functions: ReadonlyMap<string, Graph>,
  main: string,
): ModelParameter[] {
  const found = new Map<string, ModelParameter>();
  const matrices = matrixWeights(functions, main);
  const visit = (name: string, prefix: string): void => {
    const graph = functions.get(name)!;
    for (const { path, value, initializer, trainable, decay } of graph.parameters) {
      const full = prefix + path;
      const known = found.get(full);
      const matrix = matrices.get(name)!.get(path) ?? null;
      const { type } = graph.values[value]!;
      if (!known) found.set(full, { path: full, type, initializer, trainable, decay, matrix });
      else if (!sameMatrix(known.matrix, matrix)) found.set(full, { ...known, matrix: null });
    }
    for (const node of graph.nodes)
      if (node.op === "call") visit(node.attributes.callee, `${prefix}${node.attributes.prefix}.`);
  };
  visit(main, "");
  return [...found.values()];
}
