/** Opens what a `data` block describes: text, a generated task, or a series. The trainer's one way in. */

import { resolve } from "node:path";
import { readBytes } from "../run/files.node.js";
import { baselines, type Baselines } from "./baselines.js";
import { asOneDocument, buildCorpus, documentCount } from "./corpus.js";
import type { TokenDataset } from "./dataset.js";
import { type MqarOptions, mqarRows } from "./mqar.js";
import { readDocuments } from "./sources.node.js";
import { openSeries } from "./series/open.node.js";
import type { OpenedSeries } from "./series/opened.js";
import type { SeriesData } from "./series/spec.js";
import { splitCorpus } from "./split.js";
import { measuringRows, trainingRows } from "./text-dataset.js";
import { bytesTokenizer } from "./tokenizer-bytes.js";
import { jsonTokenizer } from "./tokenizer-json.js";
import type { Tokenizer } from "./tokenizer.js";

export interface TextData {
  readonly kind: "text";
  /** Paths, patterns and `npm:` packages. */
  readonly text: readonly string[];
  /** `bytes`, or the path of a `tokenizer.json`. */
  readonly tokenizer: "bytes" | { readonly json: string };
  readonly seq: number;
  /** `pack documents`: nothing is carried or predicted across documents. */
  readonly pack: boolean;
  /** The share of tokens held out, 0.05 unless given. */
  readonly heldOut?: number;
}

export interface MqarData extends MqarOptions {
  readonly kind: "mqar";
  readonly seq: number;
  /** Rows to measure on, 512 unless given. */
  readonly heldOut?: number;
}

export type DataSpec = TextData | MqarData | SeriesData;

export type OpenedData = OpenedTokens | OpenedSeries;

export interface OpenedTokens {
  readonly kind: "tokens";
  readonly train: TokenDataset;
  /** Rows to measure on, each once; null when nothing is held out. */
  readonly heldOut: TokenDataset | null;
  /** Null for data that is no text. */
  readonly tokenizer: Tokenizer | null;
  /** One line for people: how much there is. */
  readonly summary: string;
  /** What counting achieves on the held-out text; null without one. Computed when called. */
  baselines(): Baselines | null;
}

/**
 * @param base the folder that relative paths start from: the `.lsm` file's
 * @param seed decides the split, the order and what is generated
 * @throws RunError for anything wrong with the data or its tokenizer
 */
export async function openData(
  spec: TextData | MqarData,
  base: string,
  seed: number,
): Promise<OpenedTokens>;
export async function openData(spec: DataSpec, base: string, seed: number): Promise<OpenedData>;
export async function openData(spec: DataSpec, base: string, seed: number): Promise<OpenedData> {
  switch (spec.kind) {
    case "text":
      return openText(spec, base, seed);
    case "mqar":
      return openMqar(spec, seed);
    case "series":
      return openSeries(spec, base, seed);
  }
}

async function openText(spec: TextData, base: string, seed: number): Promise<OpenedTokens> {
  const tokenizer = await openTokenizer(spec.tokenizer, base);
  const corpus = await buildCorpus(readDocuments(spec.text, base), tokenizer);
  const split = splitCorpus(corpus, { seed, fraction: spec.heldOut ?? 0.05 });
  const train = spec.pack ? split.train : asOneDocument(split.train);
  const measured =
    split.heldOut === null || spec.pack ? split.heldOut : asOneDocument(split.heldOut);
  const heldOut =
    measured !== null && measured.tokens.length > documentCount(measured) ? measured : null;
  const held =
    heldOut === null ? "none held out" : `${count(heldOut.tokens.length, "token")} held out`;
  return {
    kind: "tokens",
    train: trainingRows(train, spec.seq, seed),
    heldOut: heldOut && measuringRows(heldOut, spec.seq),
    tokenizer,
    summary: `${count(documentCount(corpus), "document")}, ${count(corpus.tokens.length, "token")}, ${held}`,
    baselines: () => heldOut && baselines(train, heldOut),
  };
}

async function openTokenizer(choice: TextData["tokenizer"], base: string): Promise<Tokenizer> {
  if (choice === "bytes") return bytesTokenizer;
  const path = resolve(base, choice.json);
  return jsonTokenizer(new TextDecoder().decode(await readBytes(path)), path);
}

function openMqar(spec: MqarData, seed: number): OpenedTokens {
  const { seq, heldOut = 512 } = spec;
  const train = mqarRows(spec, seq, seed, { part: "train" });
  return {
    kind: "tokens",
    train,
    heldOut: heldOut > 0 ? mqarRows(spec, seq, seed, { part: "held-out", rows: heldOut }) : null,
    tokenizer: null,
    summary: `multi-query associative recall, ${train.vocab} ids, ${count(heldOut, "row")} held out`,
    baselines: () => null,
  };
}

function count(n: number, noun: string): string {
  return `${n.toLocaleString("en-US")} ${noun}${n === 1 ? "" : "s"}`;
}
