/** Named axes and tensor types: what every value of every phase is described by. */

/** A named axis. `label` is how the size reads in the user's own terms while it is still symbolic. */
export interface Axis {
  readonly name: string;
  readonly size: number;
  readonly label?: string;
}

/** Comparisons give floats that are 0 or 1; `int` is for indices only. */
export type DType = "float" | "int";

/** Axes are ordered: the order is the physical layout, row-major. Names within a type are distinct. */
export interface TensorType {
  readonly dtype: DType;
  readonly axes: readonly Axis[];
}

export const scalar: TensorType = { dtype: "float", axes: [] };

export function axisNames(type: TensorType): string[] {
  return type.axes.map((axis) => axis.name);
}

export function findAxis(type: TensorType, name: string): Axis | undefined {
  return type.axes.find((axis) => axis.name === name);
}

export function hasAxis(type: TensorType, name: string): boolean {
  return findAxis(type, name) !== undefined;
}

export function elementCount(type: TensorType): number {
  return type.axes.reduce((count, axis) => count * axis.size, 1);
}

/** Bytes of a tensor in memory; whatever is computed in float32 or int32 takes four an element. */
export function byteCount(type: TensorType, perElement = 4): number {
  return perElement * elementCount(type);
}

export function shapeOf(type: TensorType): number[] {
  return type.axes.map((axis) => axis.size);
}

/** `[heads 4, key 32]`, with symbolic labels where they exist: `[width, key width / 4]`. */
export function showAxes(axes: readonly Axis[]): string {
  const show = ({ name, size, label }: Axis): string =>
    label === name ? name : `${name} ${label ?? size}`;
  return `[${axes.map(show).join(", ")}]`;
}

export function showType(type: TensorType): string {
  return (type.dtype === "int" ? "int" : "") + showAxes(type.axes);
}

export function withoutAxes(axes: readonly Axis[], names: readonly string[]): Axis[] {
  return axes.filter((axis) => !names.includes(axis.name));
}

export function sameAxes(a: readonly Axis[], b: readonly Axis[]): boolean {
  return (
    a.length === b.length &&
    a.every((axis, i) => axis.name === b[i]!.name && axis.size === b[i]!.size)
  );
}

/** Thrown when a compiler phase breaks a rule of the IR: always our fault, never the user's. */
export class InternalFault extends Error {
  override name = "InternalFault";
}

/**
 * The axes of an elementwise result: the union by name. The order follows the operand that has `batch`
 * and the most axes; axes that only others have are put before the first axis they precede elsewhere,
 * else at the end, so that `[batch, time, heads] * [heads, value]` is `[batch, time, heads, value]`.
 */
export function unionAxes(types: readonly (readonly Axis[])[]): Axis[] {
  const rank = (axes: readonly Axis[]): number =>
    axes.length + (axes.some((axis) => axis.name === "batch") ? 100 : 0);
  const ordered = [...types].sort((a, b) => rank(b) - rank(a));
  const result: Axis[] = [...(ordered[0] ?? [])];
  for (const axes of ordered.slice(1)) {
    axes.forEach((axis, i) => {
      const known = result.find((other) => other.name === axis.name);
      if (known) {
        if (known.size !== axis.size)
          throw new InternalFault(
            `axis ${axis.name} has size ${known.size} on one side and ${axis.size} on the other`,
          );
        return;
      }
      const follower = axes.slice(i + 1).find((next) => result.some((r) => r.name === next.name));
      const at = follower ? result.findIndex((r) => r.name === follower.name) : result.length;
      result.splice(at, 0, axis);
    });
  }
  return result;
}
