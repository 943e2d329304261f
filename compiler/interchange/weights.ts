/** The weights of a model of ours out of another program's tensors: each number is used, and none is missing. */

import { float32, toFloat32, type Tensor } from "../../runtime/checkpoint/dtypes.js";
import { RunError } from "../../runtime/run/errors.js";
import type { Place, Places } from "./places.js";
import { View } from "./view.js";

export interface Parameter {
  readonly path: string;
  readonly axes: readonly { readonly size: number }[];
}

/**
 * Every parameter's numbers from their places.
 *
 * @param ignored names of tensors that may be left over
 * @param where the folder, for messages
 * @throws RunError `import-mismatch`
 */
export function weightsFrom(
  parameters: readonly Parameter[],
  places: Places,
  given: ReadonlyMap<string, Tensor>,
  ignored: RegExp,
  where: string,
): Map<string, Tensor<"F32">> {
  const used = new Map<string, number>();
  const weights = new Map<string, Tensor<"F32">>();
  for (const { path, axes } of parameters) {
    const place = places[path];
    if (!place) throw new Error(`the import has no place for ${path}`);
    const { name, tensor } = tensorOf(place, given, where);
    const whole = View.of(toFloat32(tensor), tensor.shape);
    const view = place.arrange(whole);
    const shape = axes.map(({ size }) => size);
    if (!fits(view.shape, shape))
      throw mismatch(
        `\`${name}\` is [${tensor.shape.join(", ")}], which gives no [${shape.join(", ")}] for \`${path}\``,
        where,
      );
    used.set(name, (used.get(name) ?? 0) + (place.computed ? whole.size : view.size));
    weights.set(path, float32(shape, view.read()));
  }
  const left = [...given].filter(
    ([name, { data }]) => (used.get(name) ?? 0) < data.length && !ignored.test(name),
  );
  if (left.length === 0) return weights;
  const names = left.map(([name]) => `\`${name}\``);
  const some = names.length > 4 ? [...names.slice(0, 4), `${names.length - 4} more`] : names;
  throw mismatch(`this model has nothing for ${some.join(", ")}`, where);
}

function tensorOf(
  { tensor }: Place,
  given: ReadonlyMap<string, Tensor>,
  where: string,
): { readonly name: string; readonly tensor: Tensor } {
  const names = typeof tensor === "string" ? [tensor] : tensor;
  const name = names.find((one) => given.has(one));
  if (name === undefined) throw mismatch(`there is no \`${names[0]}\``, where);
  return { name, tensor: given.get(name)! };
}

/** Whether neighbouring axes of `shape` multiply to those of `coarse`, in order. */
function fits(coarse: readonly number[], shape: readonly number[]): boolean {
  const wanted = coarse.filter((size) => size !== 1);
  let product = 1;
  for (const size of shape.filter((one) => one !== 1)) {
    product *= size;
    if (wanted[0] === undefined || product > wanted[0]) return false;
    if (product === wanted[0]) {
      wanted.shift();
      product = 1;
    }
  }
  return wanted.length === 0 && product === 1;
}

function mismatch(what: string, where: string): RunError {
  return new RunError({
    code: "import-mismatch",
    what,
    where,
    help: "config.json and the tensors have to be of one model, written by flash-linear-attention 0.5 or transformers",
  });
}
