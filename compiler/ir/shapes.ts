/**
 * The shape rule of every op: input types and attributes to output types.
 *
 * The checker has reported every mistake of the user before a rule runs, so a rule that is broken
 * here is an internal fault.
 */

import type { OpAttributes, OpName } from "./ops.js";
import {
  type Axis,
  type TensorType,
  InternalFault,
  axisNames,
  findAxis,
  hasAxis,
  scalar,
  showType,
  unionAxes,
  withoutAxes,
} from "./types.js";

type ShapeRule<Op extends OpName> = (
  attributes: OpAttributes[Op],
  inputs: readonly TensorType[],
) => readonly TensorType[];

const float = (axes: readonly Axis[]): TensorType => ({ dtype: "float", axes });
const int = (axes: readonly Axis[]): TensorType => ({ dtype: "int", axes });

function axisOf(type: TensorType, name: string): Axis {
  const axis = findAxis(type, name);
  if (!axis) throw new InternalFault(`no axis ${name} in ${showType(type)}`);
  return axis;
}

/** The axes with one of them replaced in place by others. */
function replaceAxis(axes: readonly Axis[], name: string, by: readonly Axis[]): Axis[] {
  return axes.flatMap((axis) => (axis.name === name ? by : [axis]));
}

/** Natural matrix-product order: shared axes, then those of a alone, then those of b alone. */
function dotAxes(a: TensorType, b: TensorType, over: readonly string[]): Axis[] {
  for (const name of over)
    if (axisOf(a, name).size !== axisOf(b, name).size)
      throw new InternalFault(`dot over ${name}: ${showType(a)} against ${showType(b)}`);
  const left = withoutAxes(a.axes, over);
  const right = withoutAxes(b.axes, over);
  for (const axis of left) {
    const other = right.find((candidate) => candidate.name === axis.name);
    if (other && other.size !== axis.size)
      throw new InternalFault(`dot: ${showType(a)} against ${showType(b)}`);
  }
  return [
    ...left.filter((axis) => hasAxis(b, axis.name)),
    ...left.filter((axis) => !hasAxis(b, axis.name)),
    ...right.filter((axis) => !hasAxis(a, axis.name)),
  ];
}

const same = (_: unknown, inputs: readonly TensorType[]): readonly TensorType[] => [inputs[0]!];

export const shapeRules: { readonly [Op in OpName]: ShapeRule<Op> } = {
  constant: () => [scalar],
  iota: ({ axis }) => [float([axis])],
  map: ({ fn }, inputs) => {
    const axes = unionAxes(inputs.map((input) => input.axes));
    return [fn === "to_int" ? int(axes) : float(axes)];
  },
  reduce: ({ over }, [x]) => {
    over.forEach((name) => axisOf(x!, name));
    return [float(withoutAxes(x!.axes, over))];
  },
  dot: ({ over }, [a, b]) => [float(dotAxes(a!, b!, over))],
  expand: ({ axes }, [x]) => {
    for (const axis of x!.axes)
      if (axes.find((other) => other.name === axis.name)?.size !== axis.size)
        throw new InternalFault(`expand of ${showType(x!)} to [${axes.map((a) => a.name).join()}]`);
    return [{ dtype: x!.dtype, axes }];
  },
  rename: ({ names }, [x]) => {
    const axes = x!.axes.map((axis) => ({ ...axis, name: names[axis.name] ?? axis.name }));
    if (new Set(axes.map((axis) => axis.name)).size !== axes.length)
      throw new InternalFault(`rename of ${showType(x!)} makes two axes of one name`);
    return [{ dtype: x!.dtype, axes }];
  },
  split: ({ axis, outer, inner }, [x]) => {
    if (axisOf(x!, axis).size !== outer.size * inner.size)
      throw new InternalFault(`split of ${showType(x!)} into ${outer.size} × ${inner.size}`);
    return [{ dtype: x!.dtype, axes: replaceAxis(x!.axes, axis, [outer, inner]) }];
  },
  merge: ({ outer, inner, into }, [x]) => {
    const size = axisOf(x!, outer).size * axisOf(x!, inner).size;
    const rest = withoutAxes(x!.axes, [inner]);
    return [{ dtype: x!.dtype, axes: replaceAxis(rest, outer, [{ name: into, size }]) }];
  },
  slice: ({ axis, start, size }, [x]) => {
    if (start < 0 || start + size > axisOf(x!, axis).size)
      throw new InternalFault(`slice ${start} + ${size} of ${axis} in ${showType(x!)}`);
    return [{ dtype: x!.dtype, axes: replaceAxis(x!.axes, axis, [{ name: axis, size }]) }];
  },
  pad: ({ axis, before, after }, [x]) => {
    const size = axisOf(x!, axis).size + before + after;
    return [{ dtype: x!.dtype, axes: replaceAxis(x!.axes, axis, [{ name: axis, size }]) }];
  },
  concat: ({ axis }, inputs) => {
    const size = inputs.reduce((sum, input) => sum + axisOf(input, axis).size, 0);
    const x = inputs[0]!;
    return [{ dtype: x.dtype, axes: replaceAxis(x.axes, axis, [{ name: axis, size }]) }];
  },
  shift: ({ axis }, [x]) => {
    axisOf(x!, axis);
    return [x!];
  },
  rotate: ({ over, pairs }, [x, angle]) => {
    axisOf(x!, over);
    axisOf(angle!, pairs);
    return [float(unionAxes([x!.axes, withoutAxes(angle!.axes, [pairs])]))];
  },
  take: ({ axis }, [table, ids]) => {
    axisOf(table!, axis);
    const rest = table!.axes.filter((a) => a.name !== axis && !hasAxis(ids!, a.name));
    return [{ dtype: table!.dtype, axes: [...ids!.axes, ...rest] }];
  },
  put: ({ axis, over }, [ids, values]) => {
    over.forEach((name) => axisOf(ids!, name));
    const shared = withoutAxes(ids!.axes, over);
    const rest = values!.axes.filter((a) => !hasAxis(ids!, a.name));
    return [float([...shared, axis, ...rest])];
  },
  top_k: ({ axis, into }, [x]) => {
    axisOf(x!, axis);
    return [int([...withoutAxes(x!.axes, [axis]), into])];
  },
  argsort: ({ axis }, [x]) => {
    axisOf(x!, axis);
    return [int(x!.axes)];
  },
  cumulate: ({ axis }, [x]) => {
    axisOf(x!, axis);
    return [float(x!.axes)];
  },
  linear_scan: ({ axis }, [a, b, initial]) => {
    axisOf(b!, axis);
    const rest = withoutAxes(b!.axes, [axis]);
    const within = a!.axes.every((own) => hasAxis(b!, own.name));
    if (
      !within ||
      rest.length !== initial!.axes.length ||
      !hasAxes(initial!, axisNames(float(rest)))
    )
      throw new InternalFault(`linear_scan of ${[a!, b!, initial!].map(showType).join()}`);
    return [float(b!.axes)];
  },
  solve: ({ row, column }, [matrix, right]) => {
    if (axisOf(matrix!, row).size !== axisOf(matrix!, column).size)
      throw new InternalFault(`solve needs a square matrix, not ${showType(matrix!)}`);
    axisOf(right!, row);
    const batch = matrix!.axes.filter((a) => a.name !== row && a.name !== column);
    const rest = right!.axes.filter((a) => a.name !== row && !batch.some((b) => b.name === a.name));
    return [float([...batch, axisOf(right!, row), ...rest])];
  },
  grouped_dot: ({ over, group }, [x, w]) => {
    over.forEach((name) => axisOf(x!, name));
    return [float([...withoutAxes(x!.axes, over), ...withoutAxes(w!.axes, [...over, group])])];
  },
  grouped_outer: ({ group, over }, [x, y]) => [
    float([group, ...withoutAxes(x!.axes, over), ...withoutAxes(y!.axes, over)]),
  ],
  delay: same,
  slot_positions: (_, [expert]) => [float(expert!.axes)],
  conv: (_, [x]) => [float(x!.axes)],
  conv_input_gradient: same,
  conv_weight_gradient: ({ taps, axes }) => [float([taps, ...axes])],
  attend: ({ axis, key }, [q, , v]) => {
    const queries = withoutAxes(q!.axes, [key]);
    const values = v!.axes.filter(
      (a) => a.name !== axis && !queries.some((b) => b.name === a.name),
    );
    return [float([...queries, ...values])];
  },
  scan: ({ axis, body, states, sequences, resets }, inputs) => {
    const flags = resets ? 1 : 0;
    const first = inputs.slice(states).find((input) => hasAxis(input, axis));
    if (!first) throw new InternalFault(`scan over ${axis} has no sequence input`);
    if (inputs.length < states + flags + sequences) throw new InternalFault("scan: inputs missing");
    const time = axisOf(first, axis);
    const typeOf = (port: { readonly value: number }): TensorType => body.values[port.value]!.type;
    const along = (type: TensorType): TensorType => {
      const batch = type.axes.findIndex((a) => a.name === "batch");
      return float([...type.axes.slice(0, batch + 1), time, ...type.axes.slice(batch + 1)]);
    };
    const finals = body.outputs.slice(0, states).map(typeOf);
    return [...body.outputs.slice(states).map(typeOf).map(along), ...finals, ...finals.map(along)];
  },
  state_scan: ({ axis }, [, , , b]) => {
    axisOf(b!, axis);
    return [float(b!.axes)];
  },
  selective_scan: ({ axis, key }, [state, positions]) => {
    const own = withoutAxes(state!.axes, ["batch", ...key]);
    return [float([axisOf(state!, "batch"), axisOf(positions!, axis), ...own])];
  },
  recurrence: ({ axis, key }, [state, positions, query]) => {
    const time = axisOf(positions!, axis);
    const own = withoutAxes(unionAxes([state!.axes, query!.axes]), ["batch", axis, ...key]);
    return [float([axisOf(state!, "batch"), time, ...own]), state!];
  },
  adamw: (_, [p]) => [p!, p!, p!],
  muon: (_, [p]) => [p!, p!],
  call: () => {
    throw new InternalFault("a call's types are those of its callee; use GraphBuilder.call");
  },
  state: () => {
    throw new InternalFault("a state's type is that of its declaration; use GraphBuilder.state");
  },
  write: (_, [x]) => [float(x!.axes)],
  lag: same,
  position: () => [float([])],
  source: ({ dtype, axes }) => [{ dtype, axes }],
  patches: ({ axis, patch }, [x]) => {
    if (axisOf(x!, axis).size % patch.size !== 0)
      throw new InternalFault(`patches of ${patch.size} of ${axis} in ${showType(x!)}`);
    return [float(replaceAxis(x!.axes, axis, [patch]))];
  },
  all_tokens: ({ tokens }, [x]) => [float([tokens, ...x!.axes])],
  token_mean: (_, [x]) => [float(x!.axes)],
  mix: (_, [body]) => [float(body!.axes)],
};

/** True when x has all of `names`. */
export function hasAxes(type: TensorType, names: readonly string[]): boolean {
  const own = axisNames(type);
  return names.every((name) => own.includes(name));
}
