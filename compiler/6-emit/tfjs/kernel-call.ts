/**
 * A kernel run as a call of the tfjs runtime's `KernelSet`: method and arguments as plain data, which the
 * emitter prints and the executor makes.
 */

import type { Kernel, MapKernel, Operand, ScanKernel } from "../../ir/program.js";
import { type Axis, InternalFault, type TensorType, findAxis, hasAxis } from "../../ir/types.js";
import type { Letters } from "./letters.js";

/** An argument: an input tensor by its position, all of them as a list, or a value. */
export type CallArgument =
  | { readonly kind: "tensor"; readonly index: number }
  | { readonly kind: "tensors" }
  | { readonly kind: "shape"; readonly axes: readonly Axis[] }
  | {
      readonly kind: "value";
      readonly value: string | number | boolean | null | Readonly<Record<string, number>>;
    };

export interface KernelCall {
  readonly method: string;
  readonly arguments: readonly CallArgument[];
}

const tensor = (index: number): CallArgument => ({ kind: "tensor", index });
const value = (v: Extract<CallArgument, { kind: "value" }>["value"]): CallArgument => ({
  kind: "value",
  value: v,
});

const shape = ({ axes }: TensorType): CallArgument => ({ kind: "shape", axes });

type Plain = Exclude<Kernel, MapKernel | ScanKernel>;

/** The calls (mostly one, each the next one's input 0) that run a plain kernel. */
export function kernelCalls(
  kernel: Plain,
  inputs: readonly Operand[],
  output: Operand,
  allLetters: Letters,
): readonly KernelCall[] {
  const types = inputs.map(({ type }) => type);
  const letters = allLetters.covering([...types, output.type]);
  const out = output.type;
  const all = types.map((type) => letters.all(type));
  const result = letters.all(out);
  const position = (type: TensorType, name: string): number =>
    type.axes.findIndex((axis) => axis.name === name);
  const letterIn = (type: TensorType, name: string): string => letters.of(findAxis(type, name)!);
  const [x] = types as [TensorType];
  const call = (method: string, ...args: readonly CallArgument[]): readonly KernelCall[] => [
    { method, arguments: args },
  ];
  switch (kernel.op) {
    case "dot":
      return call("dot", value(`${all[0]},${all[1]}->${result}`), tensor(0), tensor(1));
    case "expand":
      return call(
        "expand",
        value(`${all[0]}->${result}`),
        tensor(0),
        value(newSizes(x, out, letters)),
      );
    case "split":
      return call("reshape", tensor(0), shape(out));
    case "merge":
      return mergeCalls(x, out, kernel.attributes, letters);
    case "slice": {
      const { axis, start, size } = kernel.attributes;
      return call("slice", tensor(0), value(position(x, axis)), value(start), value(size));
    }
    case "pad": {
      const { axis, before, after } = kernel.attributes;
      return call("pad", tensor(0), value(position(x, axis)), value(before), value(after));
    }
    case "concat":
      return call("concat", { kind: "tensors" }, value(position(x, kernel.attributes.axis)));
    case "shift":
      return call(
        "shift",
        tensor(0),
        value(position(x, kernel.attributes.axis)),
        value(kernel.attributes.by),
      );
    case "take": {
      const row = rowLetter(findAxis(x, kernel.attributes.axis)!, types[1]!, letters);
      const table = x.axes
        .map((axis) => (axis.name === kernel.attributes.axis ? row : letters.of(axis)))
        .join("");
      return call("take", value(`${table},${all[1]}->${result}`), value(row), tensor(0), tensor(1));
    }
    case "put": {
      const { axis } = kernel.attributes;
      const row = rowLetter(axis, x, letters);
      const to = out.axes.map((a) => (a.name === axis.name ? row : letters.of(a))).join("");
      return call(
        "put",
        value(`${all[0]},${all[1]}->${to}`),
        value(row),
        value(axis.size),
        tensor(0),
        tensor(1),
      );
    }
    case "top_k":
      return call(
        "topK",
        tensor(0),
        value(position(x, kernel.attributes.axis)),
        value(kernel.attributes.into.size),
      );
    case "argsort":
      return call("argsort", tensor(0), value(position(x, kernel.attributes.axis)));
    case "cumulate": {
      const { fn, axis, reverse, exclusive } = kernel.attributes;
      return call(
        "cumulate",
        tensor(0),
        value(fn),
        value(position(x, axis)),
        value(reverse),
        value(exclusive),
      );
    }
    case "linear_scan": {
      const { axis, semiring, modulus, reverse } = kernel.attributes;
      return call(
        "linearScan",
        value(`${all.join()}->${result}`),
        value(letterIn(out, axis)),
        value(semiring),
        value(modulus),
        value(reverse),
        tensor(0),
        tensor(1),
        tensor(2),
      );
    }
    case "solve": {
      const { row, column, transposed } = kernel.attributes;
      const spec = value(`${all[0]},${all[1]}->${result}`);
      return call(
        "solve",
        spec,
        value(letterIn(x, row)),
        value(letterIn(x, column)),
        value(transposed),
        tensor(0),
        tensor(1),
      );
    }
    case "grouped_dot": {
      const group = letterIn(types[1]!, kernel.attributes.group);
      return call(
        "groupedDot",
        value(`${all.join()}->${result}`),
        value(group),
        tensor(0),
        tensor(1),
        tensor(2),
      );
    }
    case "grouped_outer": {
      const { group } = kernel.attributes;
      return call(
        "groupedOuter",
        value(`${all.join()}->${result}`),
        value(letters.of(group)),
        value(group.size),
        tensor(0),
        tensor(1),
        tensor(2),
      );
    }
    case "conv":
    case "conv_input_gradient": {
      const { axis, taps } = kernel.attributes;
      const method = kernel.op === "conv" ? "conv" : "convInputGradient";
      const spec = value(`${all.join()}->${result}`);
      return call(
        method,
        spec,
        value(letterIn(x, axis)),
        value(letterIn(types[1]!, taps)),
        tensor(0),
        tensor(1),
        tensor(2),
      );
    }
    case "conv_weight_gradient": {
      const { axis, taps } = kernel.attributes;
      const spec = value(`${all.join()}->${result}`);
      return call(
        "convWeightGradient",
        spec,
        value(letterIn(x, axis)),
        value(letters.of(taps)),
        value(taps.size),
        tensor(0),
        tensor(1),
        tensor(2),
      );
    }
  }
}

/** The axis that ids point along; ids that have an axis of the same name have another one. */
function rowLetter(axis: Axis, ids: TensorType, letters: Letters): string {
  if (!hasAxis(ids, axis.name)) return letters.of(axis);
  return letters.of({ name: `row of ${axis.name}`, size: axis.size });
}

function newSizes(x: TensorType, out: TensorType, letters: Letters): Record<string, number> {
  const fresh = out.axes.filter((axis) => !hasAxis(x, axis.name));
  return Object.fromEntries(fresh.map((axis) => [letters.of(axis), axis.size]));
}

/** Two axes that lie next to each other merge by a reshape; others are brought together first. */
function mergeCalls(
  x: TensorType,
  out: TensorType,
  { outer, inner }: { readonly outer: string; readonly inner: string },
  letters: Letters,
): readonly KernelCall[] {
  const at = x.axes.findIndex((axis) => axis.name === outer);
  const reshape: KernelCall = { method: "reshape", arguments: [tensor(0), shape(out)] };
  if (x.axes[at + 1]?.name === inner) return [reshape];
  const moved: Axis[] = x.axes.flatMap((axis) =>
    axis.name === outer ? [axis, findAxis(x, inner)!] : axis.name === inner ? [] : [axis],
  );
  const spec = `${letters.all(x)}->${moved.map((axis) => letters.of(axis)).join("")}`;
  return [{ method: "expand", arguments: [value(spec), tensor(0), value({})] }, reshape];
}

/** The runtime's form of a map kernel. */
export interface LetteredMap {
  readonly inputs: readonly string[];
  readonly output: string;
  readonly reduce: "sum" | "max" | null;
  readonly code: readonly {
    readonly fn: string;
    readonly arguments: readonly (
      | { readonly kind: "input" | "value"; readonly index: number }
      | { readonly kind: "constant"; readonly value: number }
      | { readonly kind: "position"; readonly letter: string }
    )[];
  }[];
  /** Sizes of the loop's letters that no input has. */
  readonly sizes: Readonly<Record<string, number>>;
}

export function letteredMap(
  kernel: MapKernel,
  inputs: readonly Operand[],
  output: Operand,
  allLetters: Letters,
): LetteredMap {
  const letters = allLetters.covering([...inputs.map(({ type }) => type), kernel.loop]);
  const own = inputs.map(({ type }) => letters.all(type));
  const missing = kernel.loop.axes.filter(
    (axis) => !own.some((text) => text.includes(letters.of(axis))),
  );
  const axisOf = (name: string): Axis => {
    const axis = findAxis(kernel.loop, name);
    if (!axis) throw new InternalFault(`a map has no axis ${name} to take positions of`);
    return axis;
  };
  return {
    inputs: own,
    output: letters.all(output.type),
    reduce: kernel.reduce,
    code: kernel.code.map(({ fn, arguments: operands }) => ({
      fn,
      arguments: operands.map((operand) =>
        operand.kind === "position"
          ? { kind: "position", letter: letters.of(axisOf(operand.axis)) }
          : operand,
      ),
    })),
    sizes: Object.fromEntries(missing.map((axis) => [letters.of(axis), axis.size])),
  };
}
