/** Index arithmetic over letters: row-major strides, merged axes, tables of offsets. */

/** One axis of a loop: its size and, for every operand, the step in elements along it. */
export interface Axis {
  readonly size: number;
  readonly strides: readonly number[];
}

/** Row-major strides of a shape, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

/** The step along a letter in an operand with these letters: 0 if it lacks the letter. */
export function strideAlong(letters: string, strides: readonly number[], letter: string): number {
  const at = letters.indexOf(letter);
  return at < 0 ? 0 : strides[at]!;
}

/** The axes of a loop over `letters`, for operands given by their letters and sizes, outermost first. */
export function axesOver(
  letters: string,
  operands: readonly string[],
  sizeOf: (letter: string) => number,
): Axis[] {
  const strides = operands.map((names) => stridesOf([...names].map(sizeOf)));
  return [...letters].map((letter) => ({
    size: sizeOf(letter),
    strides: operands.map((names, i) => strideAlong(names, strides[i]!, letter)),
  }));
}

/** Drops axes of size 1 and merges neighbours that every operand steps through as one. */
export function collapse(axes: readonly Axis[]): Axis[] {
  const result: Axis[] = [];
  for (const axis of axes) {
    if (axis.size === 1) continue;
    const outer = result.at(-1);
    const merges = outer?.strides.every((stride, i) => stride === axis.strides[i]! * axis.size);
    if (outer && merges)
      result[result.length - 1] = { size: outer.size * axis.size, strides: axis.strides };
    else result.push(axis);
  }
  return result;
}

export function countOf(axes: readonly Axis[]): number {
  return axes.reduce((count, axis) => count * axis.size, 1);
}

/** Offsets in elements of one operand, for every point of the loop in order. */
export function offsetsOf(axes: readonly Axis[], operand: number): number[] {
  let offsets = [0];
  for (const axis of axes) {
    const stride = axis.strides[operand]!;
    const next = new Array<number>(offsets.length * axis.size);
    let at = 0;
    for (const offset of offsets)
      for (let i = 0; i < axis.size; i++) next[at++] = offset + i * stride;
    offsets = next;
  }
  return offsets;
}

/** Whether aligned groups of `group` points are contiguous in an operand. */
export function contiguousIn(axes: readonly Axis[], operand: number, group: number): boolean {
  const own = collapse(
    axes.map((axis) => ({ size: axis.size, strides: [axis.strides[operand]!] })),
  );
  const inner = own.at(-1);
  if (!inner || inner.strides[0] !== 1) return false;
  return own.length === 1 || inner.size % group === 0;
}

/** The one stride with which an operand steps through the loop; null when there is none. */
export function uniformStride(axes: readonly Axis[], operand: number): number | null {
  const own = collapse(
    axes.map((axis) => ({ size: axis.size, strides: [axis.strides[operand]!] })),
  );
  if (own.length === 0) return 1;
  return own.length === 1 ? own[0]!.strides[0]! : null;
}
