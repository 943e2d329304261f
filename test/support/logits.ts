/** What a checkpoint's model predicts, by the interpreter: the definition of what it computes. */

import { check } from "../../compiler/1-check/check.js";
import type { Model } from "../../compiler/1-check/model.js";
import { lower } from "../../compiler/2-lower/lower.js";
import { nodeHost } from "../../compiler/cli/node-host.js";
import { modelParameters } from "../../compiler/ir/program.js";
import type { Checkpoint } from "../../runtime/checkpoint/checkpoint.js";
import { interpret } from "../../runtime/interpret/interpret.js";
import { type Tensor, tensor } from "../../runtime/interpret/tensor.js";

/** Logits of every token of one document, [time, vocab] in a row. */
export function logitsOf(checkpoint: Checkpoint, ids: readonly number[]): readonly number[] {
  const host = nodeHost();
  const readText = (path: string): string =>
    path === "checkpoint.lsm" ? checkpoint.source : host.readText(path);
  const { models } = check({ ...host, readText }, "checkpoint.lsm");
  const axes = [
    { name: "batch", size: 1 },
    { name: "time", size: ids.length },
  ];
  const of = (data: readonly number[]): Tensor => tensor(axes, Float64Array.from(data));
  const inputs = new Map([
    ["tokens", of(ids)],
    ["targets", of(ids)],
    ["weights", of(ids.map(() => 1))],
    ["positions", of(ids.map((_, i) => i))],
  ]);
  return predictionOf(checkpoint, models.get(checkpoint.model)!, inputs);
}

/** The prediction for a batch, with the checkpoint's weights. */
export function predictionOf(
  { weights }: Checkpoint,
  model: Model,
  inputs: ReadonlyMap<string, Tensor>,
): readonly number[] {
  const [batch, time] = inputs.get("positions")!.axes.map(({ size }) => size) as [number, number];
  const { functions, main } = lower(model.module, { batch, time });
  const parameters = modelParameters(functions, main).map(({ path, type }): [string, Tensor] => [
    path,
    tensor(type.axes, Float64Array.from(weights.get(path)!.data as Float32Array)),
  ]);
  const { outputs } = interpret({ functions, main }, main, inputs, new Map(parameters));
  return Array.from(outputs.get("prediction")!.data);
}
