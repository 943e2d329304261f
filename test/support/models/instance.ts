/** Random parameters and batches for a checked model, and how results are compared. */

import { readFileSync, readdirSync } from "node:fs";
import { type Model, timeOf } from "../../../compiler/1-check/model.js";
import { check } from "../../../compiler/compile.js";
import type { Host } from "../../../compiler/host.js";
import { type ModelParameter, modelParameters } from "../../../compiler/ir/program.js";
import { lower } from "../../../compiler/2-lower/lower.js";
import type { RandomStream } from "../../../runtime/random/stream.js";
import { type Tensor, tensor } from "../../../runtime/interpret/tensor.js";

const library = readdirSync("stdlib")
  .filter((name) => name.endsWith(".lsm"))
  .sort()
  .map((name) => ({ path: `stdlib/${name}`, text: readFileSync(`stdlib/${name}`, "utf8") }));

/** The only model of a program; throws when it has mistakes, or is warned of otherwise than is `allowed`. */
export function modelOf(text: string, allowed: readonly string[] = ["not-affine"]): Model {
  const host = { readText: () => text, library: () => library } as unknown as Host;
  const { models, diagnostics } = check(host, "model.lsm");
  const wrong = diagnostics.filter(({ code }) => !allowed.includes(code));
  if (wrong.length > 0)
    throw new Error(wrong.map(({ code, title }) => `${code}: ${title}`).join("\n"));
  return [...models.values()][0]!;
}

export interface Batch {
  readonly batch: number;
  readonly time: number;
  readonly inputs: Map<string, Tensor>;
}

/** Random tokens, targets, weights, and documents that start at random places. */
export function randomBatch(
  vocabulary: number,
  batch: number,
  time: number,
  random: RandomStream,
  documents = 0.2,
): Batch {
  const axes = [
    { name: "batch", size: batch },
    { name: "time", size: time },
  ];
  const draw = (value: (i: number) => number): Tensor =>
    tensor(
      axes,
      Float64Array.from({ length: batch * time }, (_, i) => value(i)),
    );
  const positions = tensor(axes);
  for (let i = 0; i < batch * time; i += 1)
    positions.data[i] =
      i % time === 0 || random.uniform() < documents ? 0 : positions.data[i - 1]! + 1;
  const inputs = new Map([
    ["tokens", draw(() => random.integer(vocabulary))],
    ["targets", draw(() => random.integer(vocabulary))],
    ["weights", draw(() => Number(random.uniform() < 0.8))],
    ["positions", positions],
  ]);
  return { batch, time, inputs };
}

/** A random batch of whatever the model reads: tokens in sequences of `time`, or windows, some of which do not count. */
export function batchFor(
  model: Model,
  batch: number,
  time: number,
  random: RandomStream,
  documents?: number,
): Batch {
  const { window, vocabulary } = model;
  if (window === null) return randomBatch(vocabulary!, batch, time, random, documents);
  const { lookback, horizon, channels, tokens } = window;
  const axis = (name: string, size: number) => ({ name, size });
  const around = channels === null ? [] : [axis("channels", channels)];
  const draw = (axes: { name: string; size: number }[], value: (i: number) => number): Tensor => {
    const made = tensor(axes);
    made.data.forEach((_, i, data) => (data[i] = value(i)));
    return made;
  };
  const rows = axis("batch", batch);
  const normal = (): number => Math.fround(random.normal());
  const inputs = new Map([
    ["series", draw([rows, axis("lookback", lookback), ...around], normal)],
    ["future", draw([rows, axis("horizon", horizon), ...around], normal)],
    ["weights", draw([rows], (i) => Number(i === 0 || random.uniform() < 0.8))],
    ["positions", draw([rows, axis("time", tokens)], (i) => i % tokens)],
  ]);
  return { batch, time: tokens, inputs };
}

export function parametersOf(model: Model): readonly ModelParameter[] {
  const { functions, main } = lower(model.module, { batch: 1, time: timeOf(model, 1) });
  return modelParameters(functions, main);
}

/** Random parameters, large enough that every part matters; float32 values, so that targets can hold them. */
export function randomParameters(
  model: Model,
  random: RandomStream,
  deviation = 0.4,
): Map<string, Tensor> {
  return new Map(
    parametersOf(model).map(({ path, type }) => {
      const value = tensor(type.axes);
      for (let i = 0; i < value.data.length; i += 1)
        value.data[i] = Math.fround(deviation * random.normal());
      return [path, value];
    }),
  );
}

function norm(x: ArrayLike<number>): number {
  return Math.sqrt(Array.from(x).reduce((sum, value) => sum + value * value, 0));
}

/** ‖a − b‖ / max(‖b‖, floor). */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>, floor = 1e-12): number {
  if (a.length !== b.length) return Infinity;
  const difference = Array.from(b, (value, i) => a[i]! - value);
  return norm(difference) / Math.max(norm(b), floor);
}

/**
 * The largest relative error over named results, and whose it is. A gradient that is zero in exact
 * arithmetic (an mLSTM's gates cancel in h) is rounding noise of the others, so errors are relative to
 * `resolution` times the largest result at least.
 */
export function worst(
  actual: ReadonlyMap<string, { readonly data: ArrayLike<number> }>,
  expected: ReadonlyMap<string, { readonly data: ArrayLike<number> }>,
  resolution = 1e-7,
): { readonly error: number; readonly name: string } {
  const floor = resolution * Math.max(...[...expected.values()].map(({ data }) => norm(data)));
  let found = { error: 0, name: "" };
  for (const [name, { data }] of expected) {
    const error = relativeError(actual.get(name)?.data ?? [], data, floor);
    if (!(error <= found.error)) found = { error, name };
  }
  return found;
}
