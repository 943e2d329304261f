/** Forecasts of single windows, in batches of the size that a model was compiled for. */

import { batchTensors, freeBatch } from "./batch-tensors.js";
import type { Trained } from "./tasks/task.js";
import type { WindowBatch } from "../../data/dataset.js";

/** The shapes that a model of windows was compiled for. */
export interface WindowShapes {
  readonly lookback: number;
  readonly horizon: number;
  readonly channels: number | null;
}

/**
 * The forecast of every window, standardised as they are.
 *
 * @param pasts each [lookback], or [lookback, channels]
 * @returns each [horizon], or [horizon, channels]
 */
export async function forecastRows(
  { backend, trainable, weights }: Trained,
  pasts: readonly Float32Array[],
  { lookback, horizon, channels }: WindowShapes,
): Promise<Float32Array[]> {
  const { tf, kernels } = backend;
  const { batch: rows, time: seq } = trainable;
  const around = channels === null ? [] : [channels];
  const size = horizon * (channels ?? 1);
  const forecasts: Float32Array[] = [];
  for (let from = 0; from < pasts.length; from += rows) {
    const own = pasts.slice(from, from + rows);
    const series = new Float32Array(rows * lookback * (channels ?? 1));
    own.forEach((past, r) => series.set(past, r * past.length));
    const batch: WindowBatch = {
      kind: "windows",
      rows,
      seq,
      series,
      future: new Float32Array(rows * size),
      weights: new Float32Array(rows),
      shapes: { series: [lookback, ...around], future: [horizon, ...around] },
      position: 0,
    };
    const inputs = batchTensors(tf, batch);
    const { loss, prediction } = trainable.evaluate(kernels, weights, inputs);
    freeBatch(inputs);
    loss.dispose();
    const values = await prediction.data();
    prediction.dispose();
    own.forEach((_, r) =>
      forecasts.push(Float32Array.from(values.subarray(r * size, (r + 1) * size))),
    );
  }
  return forecasts;
}
