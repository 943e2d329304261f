/** What a run says about itself at its beginning and its end. */

import type { Baselines } from "../../data/baselines.js";
import type { OpenedTokens } from "../../data/open.node.js";
import type { Measured } from "./measure.js";
import { type OptimizerSettings, muonFor } from "./settings.js";
import type { ParameterSpec, Trainable } from "./trainable.js";

export const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

/** `name  text`, the names in one column. */
export const row = (name: string, text: string): string => `${name.padEnd(11)}${text}`;

export function modelRows(
  { model, parameters }: Trainable,
  optimizer: OptimizerSettings,
): string[] {
  const total = weightsIn(parameters).toLocaleString("en-US");
  return [row("model", `${model}, ${total} parameters`), ...optimizerRows(parameters, optimizer)];
}

/** What Muon trains, where it does. */
export function optimizerRows(
  parameters: readonly ParameterSpec[],
  optimizer: OptimizerSettings,
): string[] {
  const text = optimizerText(parameters, optimizer);
  return text === null ? [] : [row("optimizer", text)];
}

/** `Muon on 38 tensors (1,018,368 weights), AdamW on 24 (71,424)`; null where AdamW trains all. */
export function optimizerText(
  parameters: readonly ParameterSpec[],
  optimizer: OptimizerSettings,
): string | null {
  if (!optimizer.muon) return null;
  const trained = parameters.filter(({ trainable }) => trainable);
  const byMuon = trained.filter((one) => muonFor(optimizer, one) !== null);
  const rest = trained.filter((one) => !byMuon.includes(one));
  const [ours, others] = [byMuon, rest].map((own) => weightsIn(own).toLocaleString("en-US"));
  return `Muon on ${byMuon.length} tensors (${ours} weights), AdamW on ${rest.length} (${others})`;
}

const weightsIn = (parameters: readonly ParameterSpec[]): number =>
  parameters.reduce((sum, { axes }) => sum + axes.reduce((size, axis) => size * axis.size, 1), 0);

export function dataRows(data: OpenedTokens, baselines: Baselines | null): string[] {
  const rows = [row("data", data.summary)];
  if (baselines) {
    const { unigram, bigram } = baselines;
    const text = `unigram ${unigram.toFixed(3)}, bigram ${bigram.toFixed(3)}, held out, ${unitOf(data)}`;
    rows.push(row("baselines", text));
  }
  return rows;
}

/** Nats a byte, or a token of some tokenizer. */
export const unitOf = ({ tokenizer }: Pick<OpenedTokens, "tokenizer">): string =>
  tokenizer?.describe().kind === "bytes" ? "nats per byte" : "nats per token";

export type NamedLoss = readonly [name: string, loss: number | null];

/** Losses side by side; those there are. */
export function lossText(losses: readonly NamedLoss[], unit: string): string {
  const shown = losses.flatMap(([name, loss]) =>
    loss === null ? [] : [`${name} ${loss.toFixed(3)}`],
  );
  return `${shown.join(", ")} (${unit})`;
}

export interface Ending {
  readonly trainingLoss: number;
  readonly heldOut: Measured | null;
  readonly baselines: Baselines | null;
  readonly unit: string;
}

export function lossRows(ending: Ending): string[] {
  const { trainingLoss, heldOut, baselines, unit } = ending;
  const losses: NamedLoss[] = [
    ["training", trainingLoss],
    ["held out", heldOut?.loss ?? null],
    ["bigram model", baselines?.bigram ?? null],
  ];
  const rows = [row("loss", lossText(losses, unit))];
  if (heldOut && heldOut.accuracy !== null) {
    const { accuracy, predictions } = heldOut;
    const text = `${percent(accuracy)} of ${predictions.toLocaleString("en-US")} held-out predictions`;
    rows.push(row("accuracy", text));
  }
  return rows;
}
