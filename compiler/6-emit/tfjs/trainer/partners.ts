/**
 * Names for cotangents. Of y = a · b a backward pass computes dy · b, the cotangent of a: what a forward
 * kernel combined b with is what a backward kernel of b gives the cotangent of, if that is one thing.
 */

import type { BufferId, ProgramFunction } from "../../../ir/program.js";
import type { TensorType } from "../../../ir/types.js";
import type { Base } from "./bases.js";

export interface Partners {
  /** The one name whose cotangent a kernel of these buffers gives in this shape; null when unsure. */
  find(operands: readonly BufferId[], type: TensorType): string | null;
}

export const noPartners: Partners = { find: () => null };

/** What a backward pass knows a forward function's buffers by. */
export type ForwardBuffer = (backward: BufferId) => BufferId | undefined;

interface Partner {
  readonly name: string;
  readonly axes: string;
}

/** From the products in the steps of `fn` for which `isForward`. */
export function partnersOf(
  fn: ProgramFunction,
  bases: readonly Base[],
  forwardBuffer: ForwardBuffer,
  isForward: (step: number) => boolean = () => true,
): Partners {
  const found = new Map<BufferId, Partner[]>();
  fn.steps.forEach((step, i) => {
    if (step.kind !== "run" || !isForward(i)) return;
    const [a, b] = step.inputs;
    if (!a || !b || a.buffer === b.buffer || !isProduct(step.kernel)) return;
    for (const [own, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const partner = { name: bases[other.buffer]!.name, axes: axesKey(other.type) };
      found.set(own.buffer, [...(found.get(own.buffer) ?? []), partner]);
    }
  });
  return {
    find: (operands, type) => {
      if (operands.length < 2 || operands.length > 3) return null;
      const axes = axesKey(type);
      const fitting = operands
        .flatMap((id) => found.get(forwardBuffer(id) ?? -1) ?? [])
        .filter((partner) => partner.axes === axes);
      return new Set(fitting.map(({ name }) => name)).size === 1 ? fitting[0]!.name : null;
    },
  };
}

function isProduct(
  kernel: Extract<ProgramFunction["steps"][number], { kind: "run" }>["kernel"],
): boolean {
  if (kernel.op === "map")
    return kernel.reduce === null && kernel.code.every(({ fn }) => fn === "mul");
  return kernel.op === "dot" || kernel.op === "grouped_dot" || kernel.op === "conv";
}

/** Which axes, whatever their order, and whether or not a contraction has them. */
const axesKey = ({ axes }: TensorType): string =>
  axes
    .map(({ name }) => name.replace(/'+$/, ""))
    .sort()
    .join();
