/**
 * What a program costs, by traversal of its kernels: arithmetic, and bytes moved between memory and kernels.
 *
 * A multiplication with its addition counts as two operations, an elementwise function as one; moving,
 * looking up and sorting count none. Diagrams, plans and `lsm summary` all read this.
 */

import type { ValueId } from "../ir/graph.js";
import type { Kernel, Operand, Program, ProgramFunction } from "../ir/program.js";
import { type TensorType, byteCount, elementCount, findAxis, unionAxes } from "../ir/types.js";

export interface Cost {
  readonly flops: number;
  readonly bytes: number;
}

/** Of one run of a kernel. */
export function kernelCost(
  kernel: Kernel,
  inputs: readonly Operand[],
  outputs: readonly (Operand | null)[],
): Cost {
  const types = [...inputs, ...outputs.filter((output) => output !== null)].map(({ type }) => type);
  if (kernel.op === "scan") {
    const { axis } = kernel.attributes;
    const length = types
      .map((type) => findAxis(type, axis)?.size)
      .find((size) => size !== undefined)!;
    return times(length, functionCost(kernel.body, noCallees));
  }
  const bytes = types.reduce((sum, type) => sum + byteCount(type), 0);
  return {
    flops: kernelFlops(
      kernel,
      inputs.map(({ type }) => type),
      outputs[0]!.type,
    ),
    bytes,
  };
}

function kernelFlops(
  kernel: Exclude<Kernel, { readonly op: "scan" }>,
  inputs: readonly TensorType[],
  output: TensorType,
): number {
  const [first, second] = inputs as readonly [TensorType, TensorType];
  switch (kernel.op) {
    case "map":
      return elementCount(kernel.loop) * (kernel.code.length + (kernel.reduce === null ? 0 : 1));
    case "dot":
      return 2 * loopSize([first, second]);
    case "grouped_dot": // every slot meets the weights of one group only
      return 2 * loopSize([first, output]);
    case "grouped_outer":
      return 2 * loopSize([first, second]);
    case "conv":
    case "conv_input_gradient":
      return 2 * elementCount(first) * findAxis(second, kernel.attributes.taps)!.size;
    case "conv_weight_gradient":
      return 2 * elementCount(first) * kernel.attributes.taps.size;
    case "solve": // half of the square is zero
      return elementCount(second) * findAxis(first, kernel.attributes.column)!.size;
    case "cumulate":
      return elementCount(first);
    case "linear_scan": // a multiplication and an addition a step
      return 2 * elementCount(output);
    default:
      return 0;
  }
}

const loopSize = (types: readonly TensorType[]): number =>
  elementCount({ dtype: "float", axes: unionAxes(types.map(({ axes }) => axes)) });

/** Of one run of a function; `callee` gives what a call costs. */
export function functionCost(
  { steps }: ProgramFunction,
  callee: (name: string, prefix: string) => Cost,
): Cost {
  return steps.reduce((sum, step) => {
    if (step.kind === "run") return plus(sum, kernelCost(step.kernel, step.inputs, step.outputs));
    return step.kind === "call" ? plus(sum, callee(step.callee, step.prefix)) : sum;
  }, nothing);
}

/** FLOPs of a function's own kernels, by the value of the token graph that they were made for. */
export function costsByOrigin({ steps, buffers }: ProgramFunction): Map<ValueId | null, number> {
  const found = new Map<ValueId | null, number>();
  for (const step of steps) {
    if (step.kind !== "run") continue;
    const made = step.outputs.find((output) => output !== null);
    const origin = (made && buffers[made.buffer]!.origin) ?? null;
    const { flops } = kernelCost(step.kernel, step.inputs, step.outputs);
    found.set(origin, (found.get(origin) ?? 0) + flops);
  }
  return found;
}

export interface ProgramCost {
  readonly total: Cost;
  /** Of what `main` does itself. */
  readonly own: Cost;
  /** Of every block that `main` calls, by its prefix. */
  readonly blocks: ReadonlyMap<string, Cost>;
}

/** Of one run of every function, with all it calls. */
export function programCosts({ functions }: Program): ReadonlyMap<string, Cost> {
  const known = new Map<string, Cost>();
  const whole = (name: string): Cost => {
    let cost = known.get(name);
    if (!cost) known.set(name, (cost = functionCost(functions.get(name)!, whole)));
    return cost;
  };
  for (const name of functions.keys()) whole(name);
  return known;
}

export function programCost(program: Program): ProgramCost {
  const costs = programCosts(program);
  const blocks = new Map<string, Cost>();
  const own = functionCost(program.functions.get(program.main)!, (name, prefix) => {
    blocks.set(prefix, plus(blocks.get(prefix) ?? nothing, costs.get(name)!));
    return nothing;
  });
  return { total: [...blocks.values()].reduce(plus, own), own, blocks };
}

const nothing: Cost = { flops: 0, bytes: 0 };

const noCallees = (): Cost => nothing; // a scan's body calls nothing

const plus = (a: Cost, b: Cost): Cost => ({ flops: a.flops + b.flops, bytes: a.bytes + b.bytes });

const times = (count: number, { flops, bytes }: Cost): Cost => ({
  flops: count * flops,
  bytes: count * bytes,
});
