/**
 * What a forecast has to beat: the last value repeated, and a linear map from a window to its future, fitted in closed
 * form on the very windows that the model learns from. Errors are of standardised values.
 */

import { type Errors, ErrorSum } from "./errors.js";
import { type Gram, gramOf, ridge } from "./ridge.js";
import type { SeriesParts } from "./split.js";
import { type Windows, windowCount, writeWindow } from "./windows.js";

/** A forecast of one window of one channel. */
export type Forecaster = (past: Float32Array) => ArrayLike<number>;

export interface SeriesBaselines {
  readonly repeat: Forecaster;
  readonly linear: Forecaster;
}

/** The least squares' penalties that are tried, as shares of the number of windows. */
const penalties = [1e-6, 1e-3, 1e-2, 1e-1] as const;

/** Multiplications that the fit may take; of more windows than that allows, evenly spaced ones are taken. */
const mostWork = 3e9;

/** Fits the linear map; it is done with raw and with normalised windows, and the one that validates better is taken. */
export function fitBaselines({ train, validation }: SeriesParts): SeriesBaselines {
  const { horizon } = train;
  const repeat: Forecaster = (past) => new Float32Array(horizon).fill(past.at(-1)!);
  const learnt = alone(train);
  const judged = alone(validation ?? train);
  const candidates = [raw, normalised].flatMap((view) => {
    const gram = gramFor(learnt, view);
    return penalties.map((penalty) => forecasterOf(gram, penalty, view));
  });
  const scores = candidates.map((one) => errorsOf(judged, one).mse);
  const best = scores.reduce((least, score, i) => (score < scores[least]! ? i : least), 0);
  return { repeat, linear: candidates[best]! };
}

/** Mean errors of a forecaster over all windows; NaN where there are none. */
export function errorsOf(windows: Windows, forecast: Forecaster): Errors {
  const sum = new ErrorSum();
  eachWindow(alone(windows), 1, (past, next) => sum.add(forecast(past), next));
  return sum.mean;
}

/** How a window is seen: what is taken away from it, and put back into its forecast. */
type View = (past: Float32Array) => { readonly centre: number; readonly scale: number };

const raw: View = () => ({ centre: 0, scale: 1 });

/** As `instance_norm` does. */
const normalised: View = (past) => {
  const centre = past.reduce((sum, x) => sum + x, 0) / past.length;
  const variance = past.reduce((sum, x) => sum + (x - centre) ** 2, 0) / past.length;
  return { centre, scale: Math.sqrt(variance + 1e-5) };
};

function gramFor(windows: Windows, view: View): Gram {
  const { lookback, horizon } = windows;
  const count = windowCount(windows);
  const work = count * (lookback + 1) * ((lookback + 1) / 2 + horizon);
  const every = Math.max(1, Math.ceil(work / mostWork));
  return gramOf(lookback + 1, horizon, (add) => {
    const x = new Float64Array(lookback + 1).fill(1); // the last is the bias'
    const y = new Float64Array(horizon);
    eachWindow(windows, every, (past, next) => {
      const { centre, scale } = view(past);
      past.forEach((value, t) => (x[t] = (value - centre) / scale));
      next.forEach((value, t) => (y[t] = (value - centre) / scale));
      add(x, y);
    });
  });
}

function forecasterOf(gram: Gram, penalty: number, view: View): Forecaster {
  const weights = ridge(gram, penalty * gram.count);
  const { inputs, outputs } = gram;
  return (past) => {
    const { centre, scale } = view(past);
    const result = Float64Array.from(
      { length: outputs },
      (_, t) => weights[(inputs - 1) * outputs + t]!,
    );
    past.forEach((value, s) => {
      const x = (value - centre) / scale;
      for (let t = 0; t < outputs; t++) result[t]! += x * weights[s * outputs + t]!;
    });
    return result.map((value) => value * scale + centre);
  };
}

/** The same windows channel by channel: a linear map is one for all channels. */
const alone = (windows: Windows): Windows => ({ ...windows, separate: true });

function eachWindow(
  windows: Windows,
  every: number,
  visit: (past: Float32Array, next: Float32Array) => void,
): void {
  const { lookback, horizon } = windows;
  const arrays = { past: new Float32Array(lookback), next: new Float32Array(horizon) };
  for (let index = 0; index < windowCount(windows); index += every) {
    writeWindow(windows, index, arrays);
    visit(arrays.past, arrays.next);
  }
}
