/**
 * The definition of every op: plain loops in float64, one function each, in the order of the op table.
 * Each is written from its sentence in compiler/ir/ops.ts, not from any other implementation.
 */

import type { NodeOf } from "../../compiler/ir/graph.js";
import type { OpName } from "../../compiler/ir/ops.js";
import { scalarFunctions } from "../../compiler/ir/scalar-functions.js";
import {
  type Axis,
  type TensorType,
  InternalFault,
  findAxis,
  withoutAxes,
} from "../../compiler/ir/types.js";
import { convolve, convolveInputGradient, convolveWeightGradient } from "./conv.js";
import { attend } from "./attend.js";
import { linearScan, stateScan } from "./linear-scan.js";
import { argsort, put, slotPositions, take, topK } from "./indices.js";
import { muon } from "./muon.js";
import { runRecurrence, runSelectiveScan } from "./recurrence.js";
import { type Tensor, stridesFor, tensor, visit } from "./tensor.js";

export type Kernel<Op extends OpName> = (
  attributes: NodeOf<Op>["attributes"],
  inputs: readonly Tensor[],
  types: readonly TensorType[], // of the outputs
) => readonly Tensor[];

/** Ops that hold or name other graphs are run by the interpreter itself. */
export type KernelOp = Exclude<
  OpName,
  | "scan"
  | "call"
  | "state"
  | "write"
  | "lag"
  | "position"
  | "source"
  | "patches"
  | "all_tokens"
  | "token_mean"
  | "mix"
>;

const sizeOf = (x: Tensor, axis: string): number =>
  findAxis({ dtype: "float", axes: x.axes }, axis)!.size;

/** Output element i of `type` from the input's element at the same names, index of `axis` shifted. */
function move(x: Tensor, type: TensorType, axis: string, by: number): Tensor {
  const out = tensor(type.axes);
  const index: Axis[] = [...type.axes];
  const at = index.findIndex((a) => a.name === axis);
  const own = x.axes.map((a) => a);
  const stride = stridesFor(own, own)[own.findIndex((a) => a.name === axis)]!;
  const size = sizeOf(x, axis);
  const outStride = stridesFor(type.axes, type.axes)[at]!;
  const outSize = type.axes[at]!.size;
  visit(withoutAxes(type.axes, [axis]), [out.axes, x.axes], (o) => {
    for (let i = 0; i < outSize; i += 1) {
      const from = i - by;
      if (from >= 0 && from < size)
        out.data[o[0]! + i * outStride] = x.data[o[1]! + from * stride]!;
    }
  });
  return out;
}

export const kernels: { readonly [Op in KernelOp]: Kernel<Op> } = {
  constant: ({ value }) => [tensor([], Float64Array.of(value))],
  iota: ({ axis }) => [
    tensor(
      [axis],
      Float64Array.from({ length: axis.size }, (_, i) => i),
    ),
  ],
  map: ({ fn }, inputs, [type]) => {
    const { evaluate } = scalarFunctions[fn];
    const out = tensor(type!.axes);
    const [a, b, c] = inputs.map((input) => input.data);
    let i = 0;
    visit(
      type!.axes,
      inputs.map((input) => input.axes),
      (o) => {
        out.data[i] = evaluate(a![o[0]!]!, b ? b[o[1]!]! : 0, c ? c[o[2]!]! : 0);
        i += 1;
      },
    );
    return [out];
  },
  reduce: ({ fn }, [x], [type]) => {
    const out = tensor(type!.axes);
    if (fn === "max") out.data.fill(-Infinity);
    let i = 0;
    visit(x!.axes, [out.axes], (o) => {
      const value = x!.data[i]!;
      i += 1;
      if (fn === "sum") out.data[o[0]!]! += value;
      else out.data[o[0]!] = Math.max(out.data[o[0]!]!, value);
    });
    return [out];
  },
  dot: ({ over }, [a, b], [type]) => {
    const out = tensor(type!.axes);
    const contracted = a!.axes.filter((axis) => over.includes(axis.name));
    visit([...type!.axes, ...contracted], [out.axes, a!.axes, b!.axes], (o) => {
      out.data[o[0]!]! += a!.data[o[1]!]! * b!.data[o[2]!]!;
    });
    return [out];
  },
  expand: (_, [x], [type]) => {
    const out = tensor(type!.axes);
    let i = 0;
    visit(type!.axes, [x!.axes], (o) => {
      out.data[i] = x!.data[o[0]!]!;
      i += 1;
    });
    return [out];
  },
  rename: (_, [x], [type]) => [tensor(type!.axes, x!.data)],
  split: (_, [x], [type]) => [tensor(type!.axes, x!.data)],
  merge: ({ outer, inner, into }, [x], [type]) => {
    const out = tensor(type!.axes);
    const width = sizeOf(x!, inner);
    const stride = stridesFor(out.axes, out.axes)[out.axes.findIndex((a) => a.name === into)]!;
    const [o1, i1] = [outer, inner].map((name) =>
      findAxis({ dtype: "float", axes: x!.axes }, name)!,
    );
    visit(withoutAxes(x!.axes, [outer, inner]), [out.axes, x!.axes], (o) => {
      const [so, si] = stridesFor(x!.axes, [o1!, i1!]);
      for (let a = 0; a < o1!.size; a += 1)
        for (let b = 0; b < width; b += 1)
          out.data[o[0]! + (a * width + b) * stride] = x!.data[o[1]! + a * so! + b * si!]!;
    });
    return [out];
  },
  slice: ({ axis, start }, [x], [type]) => [move(x!, type!, axis, -start)],
  pad: ({ axis, before }, [x], [type]) => [move(x!, type!, axis, before)],
  concat: ({ axis }, inputs, [type]) => {
    const out = tensor(type!.axes);
    let start = 0;
    for (const x of inputs) {
      const moved = move(x, type!, axis, start);
      moved.data.forEach((value, i) => (out.data[i]! += value));
      start += sizeOf(x, axis);
    }
    return [out];
  },
  shift: ({ axis, by }, [x], [type]) => [move(x!, type!, axis, by)],
  rotate: ({ over, pairs }, [x, angle], [type]) => {
    const out = tensor(type!.axes);
    const half = sizeOf(angle!, pairs);
    const along = (t: Tensor, name: string): number =>
      stridesFor(t.axes, [{ name, size: half }])[0]!;
    const [from, to, turn] = [along(x!, over), along(out, over), along(angle!, pairs)];
    visit(withoutAxes(type!.axes, [over]), [out.axes, x!.axes, angle!.axes], (o) => {
      for (let i = 0; i < half; i += 1) {
        const [first, second] = [0, half].map((start) => x!.data[o[1]! + (start + i) * from]!);
        const by = angle!.data[o[2]! + i * turn]!;
        out.data[o[0]! + i * to] = first! * Math.cos(by) - second! * Math.sin(by);
        out.data[o[0]! + (half + i) * to] = first! * Math.sin(by) + second! * Math.cos(by);
      }
    });
    return [out];
  },
  take: ({ axis }, [table, ids], [type]) => [take(table!, ids!, axis, type!)],
  put: ({ axis, over }, [ids, values], [type]) => [put(ids!, values!, axis, over, type!)],
  top_k: ({ axis, into }, [x], [type]) => [topK(x!, axis, into, type!)],
  argsort: ({ axis }, [x], [type]) => [argsort(x!, axis, type!)],
  cumulate: ({ fn, axis, reverse, exclusive }, [x], [type]) => {
    const out = tensor(type!.axes);
    const size = sizeOf(x!, axis);
    const stride = stridesFor(x!.axes, x!.axes)[x!.axes.findIndex((a) => a.name === axis)]!;
    visit(withoutAxes(x!.axes, [axis]), [x!.axes], (o) => {
      let running = fn === "sum" ? 0 : -Infinity;
      for (let step = 0; step < size; step += 1) {
        const at = o[0]! + (reverse ? size - 1 - step : step) * stride;
        const next = fn === "sum" ? running + x!.data[at]! : Math.max(running, x!.data[at]!);
        out.data[at] = exclusive ? running : next;
        running = next;
      }
    });
    return [out];
  },
  linear_scan: linearScan,
  solve: ({ row, column, transposed }, [matrix, right], [type]) => {
    const out = tensor(type!.axes);
    const n = sizeOf(matrix!, row);
    const loop = withoutAxes(type!.axes, [row]);
    const [mr, mc] = stridesFor(matrix!.axes, [
      { name: row, size: n },
      { name: column, size: n },
    ]);
    const [br] = stridesFor(right!.axes, [{ name: row, size: n }]);
    const [xr] = stridesFor(out.axes, [{ name: row, size: n }]);
    visit(loop, [matrix!.axes, right!.axes, out.axes], (o) => {
      for (let step = 0; step < n; step += 1) {
        const r = transposed ? n - 1 - step : step;
        let sum = right!.data[o[1]! + r * br!]!;
        for (let c = 0; c < n; c += 1) {
          const known = transposed ? c > r : c < r;
          if (!known) continue;
          const entry = transposed ? c * mr! + r * mc! : r * mr! + c * mc!;
          sum += matrix!.data[o[0]! + entry]! * out.data[o[2]! + c * xr!]!;
        }
        out.data[o[2]! + r * xr!] = sum;
      }
    });
    return [out];
  },
  grouped_dot: ({ over, group }, [x, w, ids], [type]) => {
    const out = tensor(type!.axes);
    const contracted = x!.axes.filter((axis) => over.includes(axis.name));
    const [stride] = stridesFor(w!.axes, [{ name: group, size: 1 }]);
    visit([...type!.axes, ...contracted], [out.axes, x!.axes, w!.axes, ids!.axes], (o) => {
      out.data[o[0]!]! += x!.data[o[1]!]! * w!.data[o[2]! + ids!.data[o[3]!]! * stride!]!;
    });
    return [out];
  },
  grouped_outer: ({ group }, [x, y, ids], [type]) => {
    const out = tensor(type!.axes);
    const [stride] = stridesFor(out.axes, [group]);
    const rest = withoutAxes(type!.axes, [group.name]);
    visit([...ids!.axes, ...rest], [out.axes, x!.axes, y!.axes, ids!.axes], (o) => {
      out.data[o[0]! + ids!.data[o[3]!]! * stride!]! += x!.data[o[1]!]! * y!.data[o[2]!]!;
    });
    return [out];
  },
  delay: ({ axis, by }, [x, positions], [type]) => {
    const out = move(x!, type!, axis, by);
    let i = 0;
    visit(out.axes, [positions!.axes], (o) => {
      if (positions!.data[o[0]!]! < by) out.data[i] = 0;
      i += 1;
    });
    return [out];
  },
  slot_positions: (_, [expert, time, positions], [type]) => [
    slotPositions(expert!, time!, positions!, type!),
  ],
  conv: convolve,
  conv_input_gradient: convolveInputGradient,
  conv_weight_gradient: convolveWeightGradient,
  attend,
  recurrence: runRecurrence,
  state_scan: stateScan,
  selective_scan: runSelectiveScan,
  adamw: ({ beta1, beta2, epsilon, decay }, inputs) => {
    const [p, g, m, v, rate, step] = inputs.map((input) => input.data);
    const axes = inputs[0]!.axes;
    if (inputs.slice(1, 4).some((x) => x.data.length !== p!.length))
      throw new InternalFault("adamw: shapes differ");
    const [np, nm, nv] = [tensor(axes), tensor(axes), tensor(axes)];
    const [c1, c2] = [1 - beta1 ** step![0]!, 1 - beta2 ** step![0]!];
    for (let i = 0; i < p!.length; i += 1) {
      nm.data[i] = beta1 * m![i]! + (1 - beta1) * g![i]!;
      nv.data[i] = beta2 * v![i]! + (1 - beta2) * g![i]! ** 2;
      const move = nm.data[i]! / c1 / (Math.sqrt(nv.data[i]! / c2) + epsilon);
      np.data[i] = p![i]! - rate![0]! * (move + decay * p![i]!);
    }
    return [np, nm, nv];
  },
  muon: (options, inputs) => muon(options, inputs),
};
