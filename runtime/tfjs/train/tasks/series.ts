/** Forecasting a series: its errors beside those of the last value and of a linear map; at the end a picture. */

import { join } from "node:path";
import { errorsOf } from "../../../data/series/baselines.js";
import type { Errors } from "../../../data/series/errors.js";
import type { OpenedSeries } from "../../../data/series/opened.js";
import { type Windows, measuringWindows, windowCount } from "../../../data/series/windows.js";
import { forecastChart } from "../../../run/forecast-chart.js";
import { writeAtomically } from "../../../run/files.node.js";
import { forecastRows } from "../forecast.js";
import { type Measured, measure } from "../measure.js";
import { row } from "../report.js";
import { lastForecasts } from "./last-window.js";
import type { Task, Trained } from "./task.js";

const measuredBatches = 16; // of the validation's windows while the run goes on, evenly spaced

export function seriesTask(data: OpenedSeries): Task {
  const { validation, test } = data.parts;
  const fitted = data.baselines();
  const final = test ?? validation;
  const named = final
    ? [
        { name: "linear map", errors: errorsOf(final, fitted.linear) },
        { name: "last value", errors: errorsOf(final, fitted.repeat) },
      ]
    : [];
  const judged = validation
    ? [
        { name: "linear map", errors: errorsOf(validation, fitted.linear) },
        { name: "last value", errors: errorsOf(validation, fitted.repeat) },
      ]
    : named;
  const compared = named.map(({ name, errors }) => `${name} ${shown(errors)}`).join("; ");
  const part = test ? "test" : "validation";
  return {
    data,
    about: [
      row("data", data.summary),
      ...(named.length > 0
        ? [row("baselines", `${compared} (${part}, of standardised values)`)]
        : []),
    ],
    notes: {
      series: {
        columns: data.series.titles,
        scales: data.scales.map(({ mean, deviation }) => ({ mean, deviation })),
      },
    },
    unit: "of standardised values",
    counted: null,
    baselines: (measured) => {
      const kind = measured && lossKind(measured);
      return kind === null ? [] : judged.map(({ name, errors }) => ({ name, loss: errors[kind] }));
    },
    measure: async ({ backend, trainable, weights }, when) => {
      const windows = when === "on the way" ? validation : final;
      if (!windows) return null;
      const dataset =
        when === "on the way"
          ? measuringWindows(windows, spacing(windows, measuredBatches * trainable.batch))
          : measuringWindows(windows);
      return measure(backend, trainable, weights, dataset, { accuracy: false });
    },
    note: ({ errors }) => `validation ${shown(errors!)}`,
    ending: (trainingLoss, measured) => [
      row("loss", `training ${trainingLoss.toFixed(4)}`),
      ...(measured?.errors ? [row(part, shown(measured.errors))] : []),
      ...named.map(({ name, errors }) => row(name, shown(errors))),
    ],
    finish: async (model, folder) => finish(data, model, folder),
  };
}

/** Every how manieth window leaves at most so many. */
const spacing = (windows: Windows, most: number): number =>
  Math.max(1, Math.ceil(windowCount(windows) / most));

export const shown = ({ mse, mae }: Errors): string =>
  `MSE ${mse.toFixed(4)}, MAE ${mae.toFixed(4)}`;

/** Which of the two errors a model's loss is, if any. */
function lossKind({ loss, errors }: Measured): keyof Errors | null {
  const near = (value: number): boolean => Math.abs(value - loss) <= 1e-3 * Math.abs(loss);
  if (errors === null) return null;
  return near(errors.mse) ? "mse" : near(errors.mae) ? "mae" : null;
}

async function finish(data: OpenedSeries, model: Trained, folder: string) {
  const windows = data.parts.test ?? data.parts.validation;
  if (!windows) return { files: [], lines: [] };
  const forecasts = await lastForecasts(data, windows, (pasts) =>
    forecastRows(model, pasts, shapesOf(windows)),
  );
  const chart = forecastChart({ title: model.trainable.model, channels: forecasts });
  await writeAtomically(join(folder, "forecast.svg"), [chart]);
  const digits = (value: number): string => String(Number(value.toPrecision(4)));
  const lines = forecasts.slice(0, mostLines).map(({ title, truth, forecast, linear }) => {
    const error = (values: readonly number[]): number =>
      values.reduce((sum, value, t) => sum + Math.abs(value - truth[t]!), 0) / values.length;
    const own = `mean error ${digits(error(forecast))}, of the linear map ${digits(error(linear))}`;
    return row("forecast", `${title}, the last window: ${own} (in its own units)`);
  });
  return { files: ["forecast.svg"], lines };
}

const mostLines = 8;

const shapesOf = ({ lookback, horizon, separate, channels }: Windows) => ({
  lookback,
  horizon,
  channels: separate ? null : channels.length,
});
