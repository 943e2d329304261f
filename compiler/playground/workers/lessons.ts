/** What a training in the page learns from, by the kind of its data: rows, how they are measured, and what is shown of it. */

import type { Dataset } from "../../../runtime/data/dataset.js";
import { asOneDocument, buildCorpus } from "../../../runtime/data/corpus.js";
import { mqarRows } from "../../../runtime/data/mqar.js";
import { openedSeries } from "../../../runtime/data/series/opened.js";
import { readSeries } from "../../../runtime/data/series/series.js";
import { splitCorpus } from "../../../runtime/data/split.js";
import { measuringRows, trainingRows } from "../../../runtime/data/text-dataset.js";
import { bytesTokenizer } from "../../../runtime/data/tokenizer-bytes.js";
import { forecastChart } from "../../../runtime/run/forecast-chart.js";
import { forecastRows } from "../../../runtime/tfjs/train/forecast.js";
import { lastForecasts } from "../../../runtime/tfjs/train/tasks/last-window.js";
import type { Trained } from "../../../runtime/tfjs/train/tasks/task.js";
import type { Training, TrainingData } from "../../1-check/blocks/training.js";
import type { Pane } from "../views.js";
import type { Model } from "../../1-check/model.js";
import { Writer } from "../../cli/writer.js";

/** What a model has learnt so far, to be looked at: a text, or a picture. */
export type Showing = Omit<Pane, "title">;

export interface Lesson {
  readonly train: Dataset;
  readonly heldOut: Dataset | null;
  /** Null where there is nothing to see but the loss. */
  readonly show: ((model: Model, trained: Trained) => Promise<Showing>) | null;
}

type Kind = TrainingData["kind"];
type DataOf<K extends Kind> = Extract<TrainingData, { readonly kind: K }>;
type Open<K extends Kind> = (
  data: DataOf<K>,
  training: Training,
  text: string,
) => Lesson | Promise<Lesson>;

const lessons: { readonly [K in Kind]: Open<K> } = { text: fromText, mqar: recall, series };

/** @param text what the file holds that the data names, or that was chosen for it; "" for data that needs none */
export function lessonOf(training: Training, text: string): Lesson | Promise<Lesson> {
  const open = lessons[training.data.kind] as Open<Kind>;
  return open(training.data, training, text);
}

async function fromText(data: DataOf<"text">, training: Training, text: string): Promise<Lesson> {
  if (data.tokenizer !== "bytes") throw new Error("the page has no tokenizer but `bytes`");
  const documents = text.split(/\n{4,}/).map((part, i) => ({ name: `part ${i + 1}`, text: part }));
  const corpus = await buildCorpus(documents, bytesTokenizer);
  const split = splitCorpus(corpus, { seed: training.seed, fraction: data.heldOut ?? 0.05 });
  const laid = (part: typeof corpus) => (data.pack ? part : asOneDocument(part));
  return {
    train: trainingRows(laid(split.train), data.seq, training.seed),
    heldOut: split.heldOut && measuringRows(laid(split.heldOut), data.seq),
    show: async (model, { backend, weights }) => {
      const asked = training.sample ?? { prompt: "The ", length: 160, temperature: 0.8 };
      const { prompt, length, temperature } = asked;
      const request = { prompt, tokens: length, temperature, seed: training.seed };
      let content = "";
      const writer = new Writer(model, bytesTokenizer, backend, weights);
      for await (const part of writer.write(request)) content += part;
      return { kind: "text", content };
    },
  };
}

function recall(data: DataOf<"mqar">, { seed }: Training): Lesson {
  const rows = data.heldOut ?? 512;
  return {
    train: mqarRows(data, data.seq, seed, { part: "train" }),
    heldOut: mqarRows(data, data.seq, seed, { part: "held-out", rows }),
    show: null,
  };
}

function series(data: DataOf<"series">, { seed }: Training, text: string): Lesson {
  const opened = openedSeries(readSeries(text, data.columns, data.csv), data, seed);
  const windows = opened.parts.test ?? opened.parts.validation;
  return {
    train: opened.train,
    heldOut: opened.validation,
    show:
      windows &&
      (async (model, trained) => {
        const { lookback, horizon, separate, channels } = windows;
        const shapes = { lookback, horizon, channels: separate ? null : channels.length };
        const forecasts = await lastForecasts(opened, windows, (pasts) =>
          forecastRows(trained, pasts, shapes),
        );
        return {
          kind: "image",
          content: forecastChart({ title: model.name, channels: forecasts }),
        };
      }),
  };
}
