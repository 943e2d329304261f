/** A recurrence in normal form, token by token, as its sentence in compiler/ir/ops.ts says. */

import type { OpAttributes } from "../../compiler/ir/ops.js";
import { type Axis, type TensorType, findAxis, withoutAxes } from "../../compiler/ir/types.js";
import { type Tensor, sliceAt, tensor, visit, writeAt } from "./tensor.js";

export function runRecurrence(
  { axis, key, gated, writes, erases, read }: OpAttributes["recurrence"],
  inputs: readonly Tensor[],
  [type]: readonly TensorType[],
): readonly Tensor[] {
  const [initial, positions, ...operands] = inputs as [Tensor, Tensor, ...Tensor[]];
  const length = findAxis({ dtype: "float", axes: positions.axes }, axis)!.size;
  const out = tensor(type!.axes);
  const { axes } = initial;
  let state = initial;
  for (let t = 0; t < length; t += 1) {
    const now = operands.map((x) => (hasAxis(x, axis) ? sliceAt(x, axis, t) : x));
    const [query, ...rest] = now as [Tensor, ...Tensor[]];
    const gate = gated ? rest.shift()! : null;
    const start = sliceAt(positions, axis, t);
    const before = elementwise(axes, [state, start], (s, p) => (p === 0 ? 0 : s));
    let next = gate ? elementwise(axes, [before, gate], (s, log) => s * Math.exp(log)) : before;
    for (let i = 0; i < writes; i += 1)
      next = elementwise(axes, [next, rest[2 * i]!, rest[2 * i + 1]!], (s, k, v) => s + k * v);
    for (let i = writes; i < writes + erases; i += 1) {
      const seen = contract(rest[2 * i + 1]!, before, key, withoutAxes(axes, key));
      next = elementwise(axes, [next, rest[2 * i]!, seen], (s, a, u) => s + a * u);
    }
    const found = contract(
      query,
      read === "after" ? next : before,
      key,
      withoutAxes(type!.axes, [axis]),
    );
    writeAt(out, axis, t, found);
    state = next;
  }
  return [out, state];
}

/** A recurrence whose decay is given in parts that multiply and add up to its logarithm. */
export function runSelectiveScan(
  { axis, key, decay, read }: OpAttributes["selective_scan"],
  inputs: readonly Tensor[],
  types: readonly TensorType[],
): readonly Tensor[] {
  const [initial, positions, q, k, v, ...rest] = inputs as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    ...Tensor[],
  ];
  const length = positions.axes.find(({ name }) => name === axis)!;
  const part = new Map(decay.map((name, i) => [name, rest[i]!]));
  const number = (data: number): Tensor => tensor([], Float64Array.of(data));
  const rate = part.get("rate") ?? number(0);
  const step = part.get("step") ?? number(1);
  const axes = [...initial.axes, length];
  const varying = elementwise(axes, [step, rate], (s, r) => s * r);
  const logs = [part.get("log_key") ?? number(0), part.get("log_value") ?? number(0)];
  const log = elementwise(axes, [varying, ...logs], (x, y, z) => x + y + z);
  const attributes = { axis, key, gated: true, writes: 1, erases: 0, read, label: "" } as const;
  const [y] = runRecurrence(attributes, [initial, positions, q, log, k, v], types);
  return [y!];
}

const hasAxis = ({ axes }: Tensor, name: string): boolean =>
  axes.some((axis) => axis.name === name);

function elementwise(
  axes: readonly Axis[],
  [x, y, z]: readonly Tensor[],
  of: (x: number, y: number, z: number) => number,
): Tensor {
  const out = tensor(axes);
  const third = z ?? y!;
  let i = 0;
  visit(axes, [x!.axes, y!.axes, third.axes], (o) => {
    out.data[i] = of(x!.data[o[0]!]!, y!.data[o[1]!]!, third.data[o[2]!]!);
    i += 1;
  });
  return out;
}

/** Σ over `key` of vector · state. */
function contract(
  vector: Tensor,
  state: Tensor,
  key: readonly string[],
  axes: readonly Axis[],
): Tensor {
  const out = tensor(axes);
  const contracted = state.axes.filter(({ name }) => key.includes(name));
  visit([...axes, ...contracted], [out.axes, vector.axes, state.axes], (o) => {
    out.data[o[0]!]! += vector.data[o[1]!]! * state.data[o[2]!]!;
  });
  return out;
}
