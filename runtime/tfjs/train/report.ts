/** What a run says about itself at its beginning and its end. */

import type { Baselines } from "../../data/baselines.js";
import type { OpenedTokens } from "../../data/open.node.js";
import type { Measured } from "./measure.js";
import type { Trainable } from "./trainable.js";

export const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

/** `name  text`, the names in one column. */
export const row = (name: string, text: string): string => `${name.padEnd(11)}${text}`;

export function modelRows({ model, parameters }: Trainable): string[] {
  const elements = parameters.map(({ axes }) => axes.reduce((size, axis) => size * axis.size, 1));
  const total = elements.reduce((sum, count) => sum + count, 0);
  return [row("model", `${model}, ${total.toLocaleString("en-US")} parameters`)];
}

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
