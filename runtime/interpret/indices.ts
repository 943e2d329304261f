/** Ops on indices: take, put, top_k, argsort. */

import { type Axis, type TensorType, findAxis, withoutAxes } from "../../compiler/ir/types.js";
import { type Tensor, stridesFor, tensor, visit } from "./tensor.js";

const strideOf = (x: Tensor, axis: string): number =>
  stridesFor(x.axes, [{ name: axis, size: 1 }])[0]!;

/** out[…] = table[ids[…], …]; a name in both table and ids (but the axis itself) is one axis. */
export function take(table: Tensor, ids: Tensor, axis: string, type: TensorType): Tensor {
  const out = tensor(type.axes);
  const stride = strideOf(table, axis);
  // the ids may have an axis of the same name as the one looked along
  const restStrides = stridesFor(
    table.axes,
    type.axes.map((a) => (a.name === axis ? { name: "", size: 0 } : a)),
  );
  const index = new Int32Array(type.axes.length);
  let i = 0;
  visit(type.axes, [ids.axes], (o) => {
    let offset = ids.data[o[0]!]! * stride;
    let remainder = i;
    for (let d = type.axes.length - 1; d >= 0; d -= 1) {
      index[d] = remainder % type.axes[d]!.size;
      remainder = (remainder - index[d]!) / type.axes[d]!.size;
      offset += index[d]! * restStrides[d]!;
    }
    out.data[i] = table.data[offset]!;
    i += 1;
  });
  return out;
}

/** out[ids[…], …] += values[…], summed over `over`. */
export function put(
  ids: Tensor,
  values: Tensor,
  axis: Axis,
  over: readonly string[],
  type: TensorType,
): Tensor {
  const out = tensor(type.axes);
  const stride = strideOf(out, axis.name);
  const kept = type.axes.filter((a) => a.name !== axis.name);
  const summed = ids.axes.filter((a) => over.includes(a.name));
  const loop = [...kept, ...summed];
  const outStrides = stridesFor(
    out.axes,
    loop.map((a, i) => (i < kept.length ? a : { name: "", size: 0 })),
  );
  let index = 0;
  visit(loop, [ids.axes, values.axes], (o) => {
    let offset = ids.data[o[0]!]! * stride;
    let remainder = index;
    for (let d = loop.length - 1; d >= 0; d -= 1) {
      const at = remainder % loop[d]!.size;
      remainder = (remainder - at) / loop[d]!.size;
      offset += at * outStrides[d]!;
    }
    out.data[offset]! += values.data[o[1]!]!;
    index += 1;
  });
  return out;
}

/** Positions along an axis, sorted by `before`, written to the output along `into`. */
function ranked(
  x: Tensor,
  axis: string,
  into: string,
  type: TensorType,
  before: (a: number, b: number) => number,
): Tensor {
  const out = tensor(type.axes);
  const size = findAxis({ dtype: "float", axes: x.axes }, axis)!.size;
  const stride = strideOf(x, axis);
  const outStride = strideOf(out, into);
  const count = findAxis(type, into)!.size;
  visit(withoutAxes(x.axes, [axis]), [x.axes, out.axes], (o) => {
    const value = (i: number): number => x.data[o[0]! + i * stride]!;
    const order = Array.from({ length: size }, (_, i) => i).sort(
      (a, b) => before(value(a), value(b)) || a - b,
    );
    for (let i = 0; i < count; i += 1) out.data[o[1]! + i * outStride] = order[i]!;
  });
  return out;
}

export function topK(x: Tensor, axis: string, into: Axis, type: TensorType): Tensor {
  return ranked(x, axis, into.name, type, (a, b) => b - a);
}

export function argsort(x: Tensor, axis: string, type: TensorType): Tensor {
  return ranked(x, axis, axis, type, (a, b) => a - b);
}

/** For every slot: earlier slots of the same expert whose tokens are of the same document. */
export function slotPositions(
  expert: Tensor,
  time: Tensor,
  positions: Tensor,
  type: TensorType,
): Tensor {
  const out = tensor(type.axes);
  const slots = findAxis(type, "slots")!.size;
  const [timeStride] = stridesFor(positions.axes, [{ name: "time", size: 1 }]);
  visit(withoutAxes(type.axes, ["slots"]), [expert.axes, positions.axes], (o) => {
    // the token that starts the document of token t
    const start = (t: number): number => t - Math.min(t, positions.data[o[1]! + t * timeStride!]!);
    for (let slot = 0; slot < slots; slot += 1)
      for (let before = 0; before < slot; before += 1) {
        const same = expert.data[o[0]! + before] === expert.data[o[0]! + slot];
        const [a, b] = [time.data[o[0]! + before]!, time.data[o[0]! + slot]!];
        if (same && start(a) === start(b)) out.data[o[0]! + slot]! += 1;
      }
  });
  return out;
}
