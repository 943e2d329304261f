/**
 * Moving, repeating and merging axes.
 *
 * tfjs ops stop at rank 4, 5 or 6 depending on op and backend, and our tensors have up to seven axes; so
 * axes that move together are merged before any op runs, and what is still too long goes in several steps.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { Context } from "./context.js";
import { type Sizes, countOf, product, shapeOf, sizesOf, without } from "../letters.js";

/** The rank that every op of every backend takes. */
export const safeRank = 4;

/** x in another shape, or x itself: a reshape that changes nothing costs TensorFlow as much as any op. */
export function view(x: Tensor, shape: readonly number[]): Tensor {
  const same = shape.length === x.rank && shape.every((size, i) => size === x.shape[i]);
  return same ? x : x.reshape([...shape]);
}

/** x as float32, whether it holds numbers, indices or the answers of a comparison. */
export function toFloat({ tf, can }: Context, x: Tensor): Tensor {
  if (x.dtype === "float32") return x;
  const float = tf.cast(x, "float32");
  return can.realCast ? float : tf.add(float, 0);
}

/** `tf.transpose`, for indices as well: those are whole numbers far below 2²⁴, which float32 holds exactly. */
export function transpose(context: Context, x: Tensor, order: number[]): Tensor {
  const { tf, can } = context;
  if (x.dtype === "float32" || can.intTranspose) return tf.transpose(x, order);
  return tf.cast(tf.transpose(toFloat(context, x), order), "int32");
}

/** x with its axes in the order `to`; same letters. May be x itself. */
export function arrange(context: Context, x: Tensor, from: string, to: string): Tensor {
  const sizes = sizesOf([from], [x]);
  const shape = shapeOf(to, sizes);
  const real = (letters: string): string => [...letters].filter((l) => sizes[l] !== 1).join("");
  let groups = mergeRuns(real(from), real(to));
  const wanted = [...groups].sort((a, b) => to.indexOf(a[0]!) - to.indexOf(b[0]!));
  const step = (value: Tensor, parts: readonly string[], order: number[]): Tensor =>
    transpose(
      context,
      view(
        value,
        parts.map((part) => countOf(part, sizes)),
      ),
      order,
    );

  if (groups.every((group, i) => group === wanted[i])) return view(x, shape);
  if (groups.length <= safeRank)
    return view(
      step(
        x,
        groups,
        wanted.map((group) => groups.indexOf(group)),
      ),
      shape,
    );
  // Too many: take the groups from the last wanted one on and bring each to the front in turn.
  let value = x;
  for (const group of [...wanted].reverse()) {
    const at = groups.indexOf(group);
    const before = groups.slice(0, at);
    const after = groups.slice(at + 1);
    if (before.length > 0) value = step(value, [before.join(""), group, after.join("")], [1, 0, 2]);
    groups = [group, ...before, ...after];
  }
  return view(value, shape);
}

/** `from` cut into the longest pieces that appear whole in `to`. */
function mergeRuns(from: string, to: string): string[] {
  const groups: string[] = [];
  for (const letter of from) {
    const last = groups.at(-1);
    if (last !== undefined && to.includes(last + letter)) groups[groups.length - 1] = last + letter;
    else groups.push(letter);
  }
  return groups;
}

/** x with the axes `to`: rearranged, and repeated along those it lacks. May be x itself. */
export function spread(
  context: Context,
  x: Tensor,
  from: string,
  to: string,
  sizes: Sizes,
): Tensor {
  const known = sizesOf([from], [x], sizes);
  const missing = without(to, from);
  const present = without(to, missing);
  let value = arrange(context, x, from, present);
  let held = present;
  // From the last run of new axes to the first, so that all but the last step are small.
  for (const run of runsOf(to, missing).reverse()) {
    const size = countOf(run, known);
    const at = [...held].filter((letter) => to.indexOf(letter) < to.indexOf(run[0]!)).length;
    const before = held.slice(0, at);
    const after = held.slice(at);
    held = before + run + after;
    if (size === 1) continue;
    const [outer, inner] = [countOf(before, known), countOf(after, known)];
    value = context.own.broadcast(view(value, [outer, 1, inner]), [outer, size, inner]);
  }
  return view(value, shapeOf(to, known));
}

/** The maximal runs of letters of `axes` that are in `members`. */
function runsOf(axes: string, members: string): string[] {
  const runs: string[] = [];
  let open = false;
  for (const letter of axes) {
    const inside = members.includes(letter);
    if (inside && open) runs[runs.length - 1] += letter;
    else if (inside) runs.push(letter);
    open = inside;
  }
  return runs;
}

/** x seen as [before, axis, after]: the rank-3 view in which work along one axis is done. */
export function threeAxes(x: Tensor, axis: number): Tensor {
  const { shape } = x;
  return view(x, [product(shape.slice(0, axis)), shape[axis]!, product(shape.slice(axis + 1))]);
}

/** The shape with one axis of another size. */
export function withSize(shape: readonly number[], axis: number, size: number): number[] {
  return shape.map((old, i) => (i === axis ? size : old));
}
