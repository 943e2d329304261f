/** Least squares with a penalty on the weights, in closed form: W = (XᵀX + λI)⁻¹ XᵀY, in float64. */

/** What least squares need to know of all rows. */
export interface Gram {
  readonly inputs: number;
  readonly outputs: number;
  readonly count: number;
  readonly xx: Float64Array; // [inputs, inputs], its lower triangle
  readonly xy: Float64Array; // [inputs, outputs]
}

type Add = (x: ArrayLike<number>, y: ArrayLike<number>) => void;

/** Sums up the rows that `each` adds. */
export function gramOf(inputs: number, outputs: number, each: (add: Add) => void): Gram {
  const xx = new Float64Array(inputs * inputs);
  const xy = new Float64Array(inputs * outputs);
  let count = 0;
  each((x, y) => {
    count += 1;
    for (let i = 0; i < inputs; i++) {
      const xi = x[i]!;
      for (let j = 0; j <= i; j++) xx[i * inputs + j]! += xi * x[j]!;
      for (let t = 0; t < outputs; t++) xy[i * outputs + t]! += xi * y[t]!;
    }
  });
  return { inputs, outputs, count, xx, xy };
}

/** @returns W [inputs, outputs]; `lambda` above 0 makes the matrix positive definite */
export function ridge({ inputs, outputs, xx, xy }: Gram, lambda: number): Float64Array {
  const factor = cholesky(xx, inputs, lambda);
  const w = xy.slice();
  const row = (i: number): Float64Array => w.subarray(i * outputs, (i + 1) * outputs);
  const subtract = (from: Float64Array, by: number, other: Float64Array): void => {
    for (let t = 0; t < outputs; t++) from[t]! -= by * other[t]!;
  };
  for (let i = 0; i < inputs; i++) {
    for (let j = 0; j < i; j++) subtract(row(i), factor[i * inputs + j]!, row(j));
    row(i).forEach((value, t, own) => (own[t] = value / factor[i * inputs + i]!));
  }
  for (let i = inputs - 1; i >= 0; i--) {
    for (let j = i + 1; j < inputs; j++) subtract(row(i), factor[j * inputs + i]!, row(j));
    row(i).forEach((value, t, own) => (own[t] = value / factor[i * inputs + i]!));
  }
  return w;
}

/** The lower triangle L of A + λI = L Lᵀ. */
function cholesky(a: Float64Array, n: number, lambda: number): Float64Array {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j]! + (i === j ? lambda : 0);
      for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
      l[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-300)) : sum / l[j * n + j]!;
    }
  return l;
}
