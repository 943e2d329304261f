/** map, dot, sum, max, expand: random axes in random order. */

import { scalarFunctions, type ScalarFunction } from "../../../compiler/ir/scalar-functions.js";
import { union, without } from "../../../runtime/tfjs/letters.js";
import type { Instruction, MapKernel, Operand } from "../../../runtime/tfjs/kernel-set.js";
import { type Random, floats, pick, shuffled, smallSizes, some, whole } from "./arbitrary.js";
import type { KernelCase } from "./case.js";
import { type Index, type Named, accumulate, at, build } from "./named.js";

const axes = "BTHKVDE";

/** Functions that keep numbers of moderate size moderate, whatever they are given. */
const tame: readonly ScalarFunction[] = [
  "neg",
  "sigmoid",
  "tanh",
  "sin",
  "cos",
  "abs",
  "add",
  "sub",
  "mul",
  "maximum",
  "minimum",
  "select",
  "stop",
  "softplus",
];

function randomOperand(next: Random, inputs: number, values: number, letters: string): Operand {
  const roll = next();
  if (values > 0 && roll < 0.45) return { kind: "value", index: Math.floor(next() * values) };
  if (inputs > 0 && roll < 0.85) return { kind: "input", index: Math.floor(next() * inputs) };
  if (letters !== "" && roll < 0.9) return { kind: "position", letter: pick(next, [...letters]) };
  return { kind: "constant", value: Math.round(next() * 8 - 4) / 2 };
}

export function randomMap(next: Random, letters: string): MapKernel {
  const count = Math.floor(next() * 4);
  const inputs = Array.from({ length: count }, () => shuffled(next, some(next, letters)));
  const output = shuffled(next, some(next, letters, 0.8));
  const loop = union(output, ...inputs);
  const code: Instruction[] = [];
  const length = 1 + Math.floor(next() * 6);
  for (let i = 0; i < length; i++) {
    const fn = pick(next, tame);
    const operands = Array.from({ length: scalarFunctions[fn].arity }, () =>
      randomOperand(next, count, i, loop),
    );
    code.push({ fn, arguments: operands });
  }
  const reduce =
    without(union(...inputs), output) === "" ? null : pick(next, ["sum", "max"] as const);
  return { inputs, output, reduce, code };
}

/** The definition of `map`. */
export function referenceMap(
  kernel: MapKernel,
  inputs: readonly Named[],
  sizes: Record<string, number>,
): Named {
  const value = (index: Index): number => {
    const values: number[] = [];
    const read = (operand: Operand): number => {
      switch (operand.kind) {
        case "input":
          return at(inputs[operand.index]!, index);
        case "value":
          return values[operand.index]!;
        case "constant":
          return operand.value;
        case "position":
          return index[operand.letter]!;
      }
    };
    for (const { fn, arguments: operands } of kernel.code) {
      const [a = 0, b = 0, c = 0] = operands.map(read);
      values.push(scalarFunctions[fn as ScalarFunction].evaluate(a, b, c));
    }
    return values.at(-1)!;
  };
  return accumulate(
    union(kernel.output, ...kernel.inputs),
    kernel.output,
    sizes,
    value,
    kernel.reduce ?? "sum",
  );
}

const map: KernelCase = {
  name: "map",
  make(next) {
    const letters = axes.slice(0, 1 + Math.floor(next() * 7));
    const kernel = randomMap(next, letters);
    const sizes = smallSizes(next, letters);
    const inputs = kernel.inputs.map((own) =>
      next() < 0.2 ? whole(own, sizes, next, 3) : floats(own, sizes, next, -2, 2),
    );
    return {
      title: JSON.stringify({ kernel, sizes }),
      inputs,
      run: (k, given) => k.map(kernel, given, sizes),
      expected: [referenceMap(kernel, inputs, sizes)],
    };
  },
};

const mapToInt: KernelCase = {
  name: "map to int",
  make(next) {
    const sizes = smallSizes(next, "BT");
    const x = floats("BT", sizes, next, 0, 9);
    const kernel: MapKernel = {
      inputs: ["BT"],
      output: "TB",
      reduce: null,
      code: [{ fn: "to_int", arguments: [{ kind: "input", index: 0 }] }],
    };
    return {
      title: JSON.stringify(sizes),
      inputs: [x],
      run: (k, given) => k.map(kernel, given, sizes),
      expected: [build("TB", sizes, (i) => Math.floor(at(x, i)), "int32")],
    };
  },
};

const dot: KernelCase = {
  name: "dot",
  make(next) {
    const letters = axes.slice(0, 1 + Math.floor(next() * 7));
    const sizes = smallSizes(next, letters, 3000);
    const roles = Object.fromEntries(
      [...letters].map((l) => [l, pick(next, ["batch", "left", "right", "over"])]),
    );
    const having = (...wanted: string[]): string =>
      [...letters].filter((l) => wanted.includes(roles[l]!)).join("");
    const order = next() < 0.5 ? (l: string) => l : (l: string) => shuffled(next, l);
    const [first, second] = [
      order(having("batch", "left", "over")),
      order(having("batch", "over", "right")),
    ];
    const result = order(having("batch") + having("left") + having("right"));
    const [a, b] = [floats(first, sizes, next), floats(second, sizes, next)];
    const spec = `${first},${second}->${result}`;
    return {
      title: spec + JSON.stringify(sizes),
      inputs: [a, b],
      run: (k, given) => k.dot(spec, given[0]!, given[1]!),
      expected: [accumulate(letters, result, sizes, (i) => at(a, i) * at(b, i))],
    };
  },
};

const reduction = (fn: "sum" | "max"): KernelCase => ({
  name: fn,
  make(next) {
    const letters = shuffled(next, axes.slice(0, Math.floor(next() * 8)));
    const result = shuffled(next, some(next, letters));
    const sizes = smallSizes(next, letters);
    const x = next() < 0.2 ? whole(letters, sizes, next, 5) : floats(letters, sizes, next);
    const spec = `${letters}->${result}`;
    return {
      title: spec + JSON.stringify(sizes),
      inputs: [x],
      run: (k, given) => k[fn](spec, given[0]!),
      expected: [accumulate(letters, result, sizes, (i) => at(x, i), fn)],
    };
  },
});

const expand: KernelCase = {
  name: "expand",
  make(next) {
    const result = shuffled(next, axes.slice(0, Math.floor(next() * 8)));
    const letters = next() < 0.5 ? some(next, result) : shuffled(next, some(next, result));
    const sizes = smallSizes(next, result);
    const x = next() < 0.3 ? whole(letters, sizes, next, 2 ** 24) : floats(letters, sizes, next);
    const spec = `${letters}->${result}`;
    return {
      title: spec + JSON.stringify(sizes),
      inputs: [x],
      run: (k, given) => k.expand(spec, given[0]!, sizes),
      expected: [build(result, sizes, (i) => at(x, i), x.dtype)],
      tolerance: 0,
    };
  },
};

export const mapCases: readonly KernelCase[] = [
  map,
  mapToInt,
  dot,
  reduction("sum"),
  reduction("max"),
  expand,
];
