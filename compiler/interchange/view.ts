/** A tensor's numbers under other axes: slices, permutations and splits without copying, until it is read. */

interface Axis {
  readonly size: number;
  /** How far apart neighbours along it lie. */
  readonly stride: number;
}

export class View {
  private constructor(
    private readonly data: ArrayLike<number>,
    private readonly axes: readonly Axis[],
    private readonly start: number,
  ) {}

  /** Dense and row-major. */
  static of(data: ArrayLike<number>, shape: readonly number[]): View {
    const axes: Axis[] = [];
    let stride = 1;
    for (const size of [...shape].reverse()) {
      axes.unshift({ size, stride });
      stride *= size;
    }
    return new View(data, axes, 0);
  }

  get shape(): readonly number[] {
    return this.axes.map(({ size }) => size);
  }

  /** How many elements it shows. */
  get size(): number {
    return this.axes.reduce((product, { size }) => product * size, 1);
  }

  /** `count` elements of an axis from `from` on. */
  slice(axis: number, from: number, count: number): View {
    const { size, stride } = this.axes[axis]!;
    if (from < 0 || from + count > size) return new View(this.data, [], NaN); // fits no parameter
    return this.with(axis, [{ size: count, stride }], from * stride);
  }

  /** The axes in another order. */
  permute(...order: readonly number[]): View {
    return new View(
      this.data,
      order.map((axis) => this.axes[axis]!),
      this.start,
    );
  }

  /** An axis backwards. */
  flip(axis: number): View {
    const { size, stride } = this.axes[axis]!;
    return this.with(axis, [{ size, stride: -stride }], (size - 1) * stride);
  }

  /** An axis as several, outermost first, whose sizes multiply to its own. */
  split(axis: number, sizes: readonly number[]): View {
    let { stride } = this.axes[axis]!;
    const parts: Axis[] = [];
    for (const size of [...sizes].reverse()) {
      parts.unshift({ size, stride });
      stride *= size;
    }
    return this.with(axis, parts, 0);
  }

  /** The numbers in order, as float32. */
  read(): Float32Array<ArrayBuffer> {
    const out = new Float32Array(this.size);
    let filled = 0;
    const walk = (depth: number, at: number): void => {
      const axis = this.axes[depth];
      if (axis === undefined) out[filled++] = this.data[at]!;
      else for (let i = 0; i < axis.size; i++) walk(depth + 1, at + i * axis.stride);
    };
    walk(0, this.start);
    return out;
  }

  private with(axis: number, parts: readonly Axis[], further: number): View {
    const axes = [...this.axes.slice(0, axis), ...parts, ...this.axes.slice(axis + 1)];
    return new View(this.data, axes, this.start + further);
  }
}
