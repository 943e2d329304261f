/**
 * `linearScan` by doubling: the pair (a, b) stands for h ↦ a ⊗ h ⊕ b, and after step i every position holds the
 * composition of the 2ⁱ maps up to it. Nothing is divided or subtracted, so no decay is too strong.
 */

import type { Tensor } from "@tensorflow/tfjs";
import { countOf, parseSpec, shapeOf, sizesOf, without } from "../letters.js";
import type { Context } from "./context.js";
import { arrange, spread, view } from "./layout.js";

export function createLinearScan(context: Context) {
  const { tf } = context;
  return (
    text: string,
    axis: string,
    semiring: "plus-times" | "max-plus",
    modulus: number | null,
    reverse: boolean,
    a: Tensor,
    b: Tensor,
    initial: Tensor,
  ): Tensor => {
    const { operands, result } = parseSpec(text);
    const [aLetters, bLetters, hLetters] = operands as [string, string, string];
    const sizes = sizesOf(operands, [a, b, initial]);
    const [before, after] = result.split(axis) as [string, string];
    const size = sizes[axis]!;
    const three = (x: Tensor, length: number): Tensor =>
      view(x, [countOf(before, sizes), length, countOf(after, sizes)]);
    const plusTimes = semiring === "plus-times";
    const times = (x: Tensor, y: Tensor): Tensor => (plusTimes ? tf.mul(x, y) : tf.add(x, y));
    const plus = (x: Tensor, y: Tensor): Tensor => {
      if (!plusTimes) return tf.maximum(x, y);
      const sum = tf.add(x, y);
      // written out: tfjs's mod is that of the platform, which differs in sign
      return modulus === null ? sum : tf.sub(sum, tf.mul(modulus, tf.floor(tf.div(sum, modulus))));
    };
    const [one, zero] = plusTimes ? [1, 0] : [0, -Infinity];
    /** x of `by` positions ago, the neutral map where there is none. */
    const moved = (x: Tensor, by: number, neutral: number): Tensor => {
      const fill = tf.fill([x.shape[0]!, by, x.shape[2]!], neutral);
      const kept = tf.slice(x, [0, reverse ? by : 0, 0], [-1, size - by, -1]);
      return tf.concat(reverse ? [kept, fill] : [fill, kept], 1);
    };

    let factor = three(spread(context, a, aLetters, result, sizes), size);
    let value = three(arrange(context, b, bLetters, result), size);
    const start = three(arrange(context, initial, hLetters, without(result, axis)), 1);
    // the first step also takes the first state in
    const at = reverse ? size - 1 : 0;
    const first = plus(
      times(tf.slice(factor, [0, at, 0], [-1, 1, -1]), start),
      tf.slice(value, [0, at, 0], [-1, 1, -1]),
    );
    const rest = tf.slice(value, [0, reverse ? 0 : 1, 0], [-1, size - 1, -1]);
    if (size === 1) value = first;
    else value = tf.concat(reverse ? [rest, first] : [first, rest], 1);
    for (let by = 1; by < size; by *= 2) {
      value = plus(times(factor, moved(value, by, zero)), value);
      if (2 * by < size) factor = times(factor, moved(factor, by, one));
    }
    return view(value, shapeOf(result, sizes));
  };
}
