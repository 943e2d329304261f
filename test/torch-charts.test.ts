/** The pictures that the PyTorch trainer draws are, to the byte, those that the other targets draw of the same numbers. */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { RandomStream } from "../runtime/random/stream.js";
import { type ForecastChart, forecastChart } from "../runtime/run/forecast-chart.js";
import { type LossChart, lossChart } from "../runtime/run/loss-chart.js";
import type { Point } from "../runtime/run/series.js";
import { required } from "./support/required.js";

const root = resolve(import.meta.dirname, "..");
const python = join(root, ".venv/bin/python");
const there = required("torch") || existsSync(python);

const random = new RandomStream(5, "charts");
const curve = (count: number, scale: number): Point[] =>
  Array.from({ length: count }, (_, i) => [
    i + 1,
    scale * (2 + 3 / (1 + i / 9) + 0.2 * random.normal() + (random.uniform() < 0.01 ? 9 : 0)),
  ]);
const values = (count: number, scale: number): number[] =>
  Array.from({ length: count }, () => scale * random.normal());

const lossOf = (count: number, scale: number): LossChart => ({
  title: `A model of ${count} steps & "more" <${"x".repeat(count % 99)}>`,
  training: curve(count, scale),
  heldOut: curve(count, scale).filter(([step]) => step % 7 === 0),
  baselines: [
    { name: "bigram model", loss: 2.4 * scale },
    { name: "unigram model", loss: 3.0625 * scale },
  ],
  unit: "nats per token",
});

const forecastOf = (scale: number, known: boolean): ForecastChart => ({
  title: `Weather · ${scale}`,
  channels: ["rain", "temperature <°C>"].map((title) => ({
    title,
    past: values(24, scale),
    truth: known ? values(8, scale) : [],
    forecast: values(8, scale),
    linear: known ? values(8, scale) : [],
  })),
});

it.skipIf(!there)("are the same", () => {
  const losses = [
    ...[0, 1, 2, 5, 40, 333, 2500].map((count) => lossOf(count, 1)),
    ...[1e-6, 0.01, 123, 4e5, -2].map((scale) => lossOf(60, scale)),
  ];
  const forecasts = [forecastOf(1, true), forecastOf(0.003, false), forecastOf(2e7, true)];
  const input = JSON.stringify({ losses, forecasts });
  const out = execFileSync(python, ["test/torch/charts.py"], {
    cwd: root,
    input,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  expect(JSON.parse(out)).toEqual([...losses.map(lossChart), ...forecasts.map(forecastChart)]);
});
