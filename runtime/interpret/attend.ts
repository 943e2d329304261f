/** Softmax attention, token by token. */

import { type TensorType, findAxis, withoutAxes } from "../../compiler/ir/types.js";
import { type Tensor, stridesFor, tensor, visit } from "./tensor.js";

export function attend(
  attributes: { axis: string; key: string; window: number | null; causal: boolean; scale: number },
  [q, k, v, positions]: readonly Tensor[],
  [type]: readonly TensorType[],
): readonly Tensor[] {
  const { axis, key, window, causal, scale } = attributes;
  const out = tensor(type!.axes);
  const time = findAxis({ dtype: "float", axes: q!.axes }, axis)!;
  const width = findAxis({ dtype: "float", axes: q!.axes }, key)!;
  const values = v!.axes.filter(
    (a) => a.name !== axis && !withoutAxes(q!.axes, [key]).some((b) => b.name === a.name),
  );
  const stride = (x: Tensor, name: string): number => stridesFor(x.axes, [{ name, size: 1 }])[0]!;
  const heads = withoutAxes(q!.axes, [axis, key]);
  visit(heads, [q!.axes, k!.axes, v!.axes, out.axes, positions!.axes], (o) => {
    for (let t = 0; t < time.size; t += 1) {
      const position = positions!.data[o[4]! + t * stride(positions!, axis)]!;
      const seen: { s: number; score: number }[] = [];
      for (let s = 0; s < time.size; s += 1) {
        const ago = t - s;
        const later = -ago > positions!.data[o[4]! + s * stride(positions!, axis)]!; // of another document
        if (ago > position || later || (causal && ago < 0)) continue;
        if (window !== null && Math.abs(ago) >= window) continue;
        let score = 0;
        for (let i = 0; i < width.size; i += 1)
          score +=
            q!.data[o[0]! + t * stride(q!, axis) + i * stride(q!, key)]! *
            k!.data[o[1]! + s * stride(k!, axis) + i * stride(k!, key)]!;
        seen.push({ s, score: score * scale });
      }
      const top = Math.max(...seen.map(({ score }) => score));
      const total = seen.reduce((sum, { score }) => sum + Math.exp(score - top), 0);
      for (const { s, score } of seen) {
        const weight = Math.exp(score - top) / total;
        visit(values, [v!.axes, out.axes], (vo) => {
          out.data[o[3]! + t * stride(out, axis) + vo[1]!]! +=
            weight * v!.data[o[2]! + s * stride(v!, axis) + vo[0]!]!;
        });
      }
    }
  });
  return [out];
}
