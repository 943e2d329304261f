/** `map` and what it serves: sums, maxima, repeats and transposes are maps too. */

import type { DataType, Tensor } from "@tensorflow/tfjs";
import type { MapKernel } from "../../kernel-set.js";
import type { ScalarFunction } from "../../../../compiler/ir/scalar-functions.js";
import { vectorFunctions } from "../functions/table.js";
import type { Heap } from "../heap.js";
import { buildMapModule, type MapTypes, type Representation } from "./emit.js";
import { shapeOf, union, type Sizes } from "../../letters.js";
import { keepLatest } from "../shape-cache.js";
import { createTranspose, type TransposePlane } from "../transpose.js";
import { chunksFor, mostValues } from "../threads/team.js";
import { countOf } from "../strides.js";
import { planNest, unitsOf, type Nest } from "./nest.js";
import { planesOf } from "./planes.js";

/** A kernel compiled for certain sizes and input types. */
interface Compiled {
  readonly sizes: readonly number[];
  readonly dtypes: readonly DataType[];
  readonly outputShape: readonly number[];
  readonly outputType: DataType;
  /** Takes the addresses of the inputs and of the output. */
  readonly run: (addresses: readonly number[]) => void;
}

interface Letter {
  readonly name: string;
  /** The input and the axis of it that has this letter; −1 where only the result has. */
  readonly input: number;
  readonly axis: number;
}

interface Variants {
  readonly letters: readonly Letter[];
  readonly compiled: Compiled[];
}

const toFloat: MapKernel = {
  inputs: ["A"],
  output: "A",
  reduce: null,
  code: [{ fn: "stop", arguments: [{ kind: "input", index: 0 }] }],
};

export class Maps {
  readonly #heap: Heap;
  readonly #transpose: TransposePlane;
  readonly #variants = new WeakMap<MapKernel, Variants>();
  readonly #plain = new Map<string, MapKernel>();

  constructor(heap: Heap) {
    this.#heap = heap;
    this.#transpose = createTranspose(heap);
  }

  run(kernel: MapKernel, inputs: readonly Tensor[], sizes: Sizes): Tensor {
    const compiled = this.#find(kernel, inputs, sizes);
    const output = this.#heap.output(compiled.outputShape, compiled.outputType);
    const addresses = inputs.map((input) => this.#heap.address(input));
    addresses.push(this.#heap.address(output));
    compiled.run(addresses);
    return output;
  }

  /** A copy with letters left out (reduced), added (repeated, by `sizes`) or in another order. */
  rearrange(spec: string, reduce: "sum" | "max" | null, x: Tensor, sizes: Sizes): Tensor {
    const key = reduce === null ? spec : spec + reduce;
    let kernel = this.#plain.get(key);
    if (!kernel) {
      const [input, output] = spec.split("->") as [string, string];
      kernel = { inputs: [input], output, reduce, code: [] };
      this.#plain.set(key, kernel);
    }
    return this.run(kernel, [x], sizes);
  }

  /** A float copy of indices. */
  toFloat(x: Tensor): Tensor {
    const flat = this.#heap.view(x, [x.size]);
    const copy = this.run(toFloat, [flat], {});
    const result = this.#heap.view(copy, x.shape);
    flat.dispose();
    copy.dispose();
    return result;
  }

  #find(kernel: MapKernel, inputs: readonly Tensor[], sizes: Sizes): Compiled {
    let variants = this.#variants.get(kernel);
    if (!variants) {
      variants = { letters: lettersOf(kernel), compiled: [] };
      this.#variants.set(kernel, variants);
    }
    const { letters, compiled } = variants;
    for (const candidate of compiled) {
      if (
        letters.every((letter, i) => sizeOf(letter, inputs, sizes) === candidate.sizes[i]) &&
        inputs.every((input, i) => input.dtype === candidate.dtypes[i])
      )
        return candidate;
    }
    const made = this.#compile(kernel, letters, inputs, sizes);
    keepLatest(compiled, made);
    return made;
  }

  #compile(
    kernel: MapKernel,
    letters: readonly Letter[],
    inputs: readonly Tensor[],
    sizes: Sizes,
  ): Compiled {
    const known: Sizes = Object.fromEntries(
      letters.map((letter) => [letter.name, sizeOf(letter, inputs, sizes)]),
    );
    const dtypes = inputs.map((input) => input.dtype);
    const outputType = resultType(kernel, dtypes);
    const moves = kernel.code.length === 0 && kernel.reduce === null;
    const representation = (dtype: DataType): Representation =>
      moves ? "bits" : dtype === "int32" ? "int" : "float";
    const types: MapTypes = {
      inputs: dtypes.map(representation),
      output: representation(outputType),
    };
    const nest = planNest(kernel, (letter) => known[letter]!);
    const planes = moves ? planesOf(nest, this.#transpose) : null;
    return {
      sizes: Object.values(known),
      dtypes,
      outputShape: shapeOf(kernel.output, known),
      outputType,
      run: planes ? ([input, output]) => planes(input!, output!) : this.#build(kernel, nest, types),
    };
  }

  #build(kernel: MapKernel, nest: Nest, types: MapTypes): Compiled["run"] {
    const { team } = this.#heap;
    const bytes = buildMapModule(kernel, nest, types, this.#heap.shared);
    const units = unitsOf(nest);
    const chunks = chunksFor(team, units, nanoseconds(kernel, nest));
    if (chunks === 1 || kernel.inputs.length >= mostValues) {
      const run = this.#heap.instantiate(bytes)["run"]!;
      return (addresses) => run(...addresses, 0, units, 0);
    }
    const split = this.#heap.splittable(bytes, "run");
    return (addresses) => team.run(split, addresses, units, chunks);
  }
}

/** A rough guess at a kernel's time: four lanes at once, some four instructions a nanosecond. */
function nanoseconds({ code, inputs }: MapKernel, { axes }: Nest): number {
  const instructions = code.reduce(
    (sum, { fn }) => sum + vectorFunctions[fn as ScalarFunction].cost,
    1 + inputs.length,
  );
  return (countOf(axes) / 4) * (instructions / 4);
}

function lettersOf(kernel: MapKernel): Letter[] {
  return [...union(kernel.output, ...kernel.inputs)].map((name) => {
    const input = kernel.inputs.findIndex((letters) => letters.includes(name));
    return { name, input, axis: kernel.inputs[input]?.indexOf(name) ?? -1 };
  });
}

function sizeOf({ name, input, axis }: Letter, inputs: readonly Tensor[], sizes: Sizes): number {
  return input < 0 ? sizes[name]! : inputs[input]!.shape[axis]!;
}

/** Code ending in `to_int` gives indices, a mere rearrangement keeps its type, all else is float. */
function resultType(kernel: MapKernel, dtypes: readonly DataType[]): DataType {
  const last = kernel.code.at(-1);
  if (!last) return kernel.reduce === null ? dtypes[0]! : "float32";
  return last.fn === "to_int" ? "int32" : "float32";
}
