/**
 * `map`: the scalar code, one tfjs op an instruction, over tensors brought to one loop order.
 *
 * Adjacent axes of the loop that every input either has or lacks together are one axis to tfjs.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { ScalarFunction } from "../../../compiler/ir/scalar-functions.js";
import type { MapKernel, Operand } from "../kernel-set.js";
import type { Context } from "./context.js";
import { arrange, safeRank, spread, toFloat, view } from "./layout.js";
import { scalarOps } from "./scalar.js";
import { type Sizes, common, countOf, shapeOf, sizesOf, union } from "../letters.js";

export function createMap(context: Context) {
  const { tf, can } = context;
  const ops = scalarOps(context);

  return (kernel: MapKernel, inputs: readonly Tensor[], sizes: Sizes): Tensor => {
    const known = sizesOf(kernel.inputs, inputs, sizes);
    const positions = positionsOf(kernel);
    const places = [...positions].map((letter) => tf.range(0, known[letter]!, 1, "float32"));
    const own = [...kernel.inputs, ...positions];
    const natural = can.mergesAxes ? naturalLoop(kernel, own, known) : null;
    const loop = natural ?? union(kernel.output, ...kernel.inputs);
    const plan = natural
      ? { groups: [...natural], inputs: own }
      : planLoop(own, kernel.output, loop, known);
    /** Axes of size 1 for the groups it lacks, but none in front: broadcasting adds those. */
    const shapeFor = (letters: string): number[] => {
      const held = plan.groups.map((group) => letters.includes(group[0]!));
      const first = held.indexOf(true);
      return plan.groups.flatMap((group, i) =>
        first < 0 || i < first ? [] : [held[i] ? countOf(group, known) : 1],
      );
    };

    const aligned = [...inputs, ...places].map((input, i) => {
      const letters = common(loop, plan.inputs[i]!);
      const full = spread(context, input, own[i]!, letters, known);
      return toFloat(context, view(full, shapeFor(letters)));
    });
    const values: Tensor[] = [];
    const read = (operand: Operand): Tensor => {
      switch (operand.kind) {
        case "input":
          return aligned[operand.index]!;
        case "value":
          return values[operand.index]!;
        case "constant":
          return tf.scalar(operand.value);
        case "position":
          return aligned[inputs.length + positions.indexOf(operand.letter)]!;
      }
    };
    const { code, reduce } = kernel;
    // −x is summed as x: there are fewer sums than terms
    const negated = reduce === "sum" && code.at(-1)!.fn === "neg";
    for (const { fn, arguments: operands } of negated ? code.slice(0, -1) : code) {
      const [a, b, c] = operands.map(read);
      // An op of one or two arguments never looks at those it has not got.
      values.push(ops[fn as ScalarFunction](a!, b!, c!));
    }

    let value = negated ? read(code.at(-1)!.arguments[0]!) : values.at(-1)!;
    const shape = shapeFor(loop);
    if (value.size < countOf(loop, known)) value = context.own.broadcast(value, shape); // no input has some axis
    value = view(value, shape);
    const reduced = shape.flatMap((_, i) =>
      kernel.output.includes(plan.groups[i]![0]!) ? [] : [i],
    );
    if (reduced.length > 0)
      value = reduce === "max" ? tf.max(value, reduced) : tf.sum(value, reduced);
    if (negated) value = tf.neg(value);
    const kept = common(loop, kernel.output);
    value = arrange(context, view(value, shapeOf(kept, known)), kept, kernel.output);
    return code.at(-1)!.fn === "to_int" ? tf.cast(value, "int32") : value;
  };
}

/** Letters whose position the code asks for: to tfjs, further inputs. */
function positionsOf({ code }: MapKernel): string {
  const letters = code.flatMap(({ arguments: operands }) =>
    operands.map((operand) => (operand.kind === "position" ? operand.letter : "")),
  );
  return union(...letters);
}

/** As many axes as TensorFlow's broadcasting takes, after it has merged those that are alike. */
const mergedRank = 5;

/**
 * For a backend that merges axes itself, and reduces any of them: where there is a reduction the order of the largest input, so
 * that this one need not be moved. Null where there are too many axes even when merged.
 */
function naturalLoop(
  { inputs, output, reduce }: MapKernel,
  own: readonly string[],
  sizes: Sizes,
): string | null {
  const largest = [...inputs].sort((a, b) => countOf(b, sizes) - countOf(a, sizes))[0] ?? "";
  const loop = reduce === null ? union(output, ...inputs) : union(largest, output, ...inputs);
  const runs = [...loop].filter(
    (letter, i) =>
      i === 0 || own.some((letters) => letters.includes(letter) !== letters.includes(loop[i - 1]!)),
  );
  return runs.length <= mergedRank ? loop : null;
}

interface LoopPlan {
  /** The loop's letters, cut into the axes tfjs gets to see. */
  readonly groups: readonly string[];
  /** Letters each input has or is to be repeated along. */
  readonly inputs: readonly string[];
}

/** `loop` has the letters of the result first, so that what is kept and what is reduced are two runs. */
function planLoop(own: readonly string[], output: string, loop: string, sizes: Sizes): LoopPlan {
  let inputs = own;
  const mayJoin = (p: string, q: string): boolean => output.includes(p) === output.includes(q);
  const alike = (p: string, q: string): boolean =>
    inputs.every((letters) => letters.includes(p) === letters.includes(q));
  const cut = (): string[] => {
    const groups: string[] = [];
    for (const letter of loop) {
      const last = groups.at(-1)?.at(-1);
      if (last !== undefined && mayJoin(last, letter) && alike(last, letter))
        groups[groups.length - 1] += letter;
      else groups.push(letter);
    }
    return groups;
  };

  let groups = cut();
  while (groups.length > safeRank) {
    // Repeat some inputs along one of two neighbours, so that these two become alike: the cheapest pair.
    const pairs = groups
      .slice(1)
      .flatMap((group, i) => (mayJoin(groups[i]![0]!, group[0]!) ? [groups[i]! + group] : []));
    const cost = (pair: string): number =>
      inputs.reduce((sum, letters) => {
        const held = common(letters, pair);
        return held === "" || held.length === pair.length
          ? sum
          : sum + countOf(union(letters, pair), sizes);
      }, 0);
    const pair = pairs.sort((a, b) => cost(a) - cost(b))[0]!;
    inputs = inputs.map((letters) =>
      common(letters, pair) === "" ? letters : union(letters, pair),
    );
    groups = cut();
  }
  return { groups, inputs };
}
