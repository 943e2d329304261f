/**
 * The loop nest of a map: which axes, in which order, and which of them the four lanes run along.
 *
 * Operands are the inputs, then the positions used (an operand whose "address" is an index), then the
 * output. Axes that all operands step through as one are one loop.
 */

import type { MapKernel } from "../../kernel-set.js";
import { axesOver, collapse, countOf, type Axis } from "../strides.js";

export interface Nest {
  /** Loops from the outside in. */
  readonly axes: readonly Axis[];
  /** The loop that lanes run along. */
  readonly vector: number;
  /** Loops from here on are summed or maximised over; all after `vector` are. */
  readonly firstReduced: number;
  /** Letters whose positions the code uses, in operand order after the inputs. */
  readonly positions: readonly string[];
}

/** Rounds of the outermost loop, where threads can share them: each makes results of its own. 1: they cannot. */
export function unitsOf({ axes, vector, firstReduced }: Nest): number {
  return vector > 0 && firstReduced > 0 ? axes[0]!.size : 1;
}

export function planNest(kernel: MapKernel, sizeOf: (letter: string) => number): Nest {
  const positions = positionLetters(kernel);
  const operands = [...kernel.inputs, ...positions, kernel.output];
  const inputLetters = [...kernel.inputs].sort((a, b) => b.length - a.length).join("");
  const reducedLetters = [...new Set(inputLetters + positions.join(""))].filter(
    (letter) => !kernel.output.includes(letter),
  );
  const kept = collapse(axesOver(kernel.output, operands, sizeOf));
  const reduced = collapse(axesOver(reducedLetters.join(""), operands, sizeOf));
  const along = reduced.length > 0 ? bestReducedAxis(kernel, kept, reduced) : null;
  if (along !== null) {
    const others = reduced.filter((_, i) => i !== along);
    const axes = [...kept, ...others, reduced[along]!];
    return { axes, vector: axes.length - 1, firstReduced: kept.length, positions };
  }
  const outer =
    kept.length === 0
      ? [{ size: 1, strides: operands.map(() => 0) }]
      : kept.length === 1
        ? divided(kept[0]!)
        : kept;
  return {
    axes: [...outer, ...reduced],
    vector: outer.length - 1,
    firstReduced: outer.length,
    positions,
  };
}

/** A long loop in parts that threads can share: two loops, the outer of at most so many rounds. */
const mostParts = 32;

function divided(axis: Axis): readonly Axis[] {
  for (let parts = mostParts; parts > 1; parts--) {
    const size = axis.size / parts;
    if (size % 16 !== 0) continue;
    return [
      { size: parts, strides: axis.strides.map((stride) => stride * size) },
      { ...axis, size },
    ];
  }
  return [axis];
}

function positionLetters(kernel: MapKernel): string[] {
  const letters = kernel.code
    .flatMap((step) => step.arguments)
    .flatMap((operand) => (operand.kind === "position" ? [operand.letter] : []));
  return [...new Set(letters)];
}

/**
 * The reduced axis to run lanes along, or null where the output's last axis is better: the choice reads
 * more elements straight instead of gathering them.
 */
function bestReducedAxis(
  kernel: MapKernel,
  kept: readonly Axis[],
  reduced: readonly Axis[],
): number | null {
  const all = [...kept, ...reduced];
  const score = (axis: Axis): number =>
    kernel.inputs.reduce((total, _, input) => {
      const elements = countOf(all.filter((a) => a.strides[input] !== 0));
      const step = axis.strides[input]!;
      return total + (step === 0 ? 0 : step === 1 ? elements : -elements);
    }, 0);
  let best: number | null = null;
  let bestScore = kept.length > 0 ? score(kept.at(-1)!) : -Infinity;
  reduced.forEach((axis, i) => {
    const own = score(axis);
    if (own > bestScore || (best === null && bestScore === -Infinity)) [best, bestScore] = [i, own];
  });
  return best;
}
