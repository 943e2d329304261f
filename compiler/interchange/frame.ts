/** What stands around layers: blocks, and a model of them. */

import { below, linear, type Places, same } from "./places.js";
import { layerText, type ModelText } from "./program-text.js";
import type { Layer } from "./layer.js";
import type { Settings } from "./settings.js";

/** A model as a program writes it, and where its parameters lie. */
export interface Foreign {
  readonly text: Omit<ModelText, "about">;
  readonly places: Places;
}

export type ModelOf = (settings: Settings, tied: boolean) => Foreign;

export const rms = (epsilon: number, otherwise: number): string | null =>
  epsilon === otherwise ? null : layerText("rmsnorm", { epsilon });

/** Layers of all blocks; tensors by their whole names. */
export function blocksOf(settings: Settings, layer: (index: number) => Layer): readonly Layer[] {
  return Array.from({ length: settings.count("num_hidden_layers") }, (_, index) => layer(index));
}

/** A mixer and a feed-forward layer in a block of ours; its norms are named after them. */
export function block(
  mixer: Layer,
  ffn: Layer,
  prefix: string,
  mixerName: string,
  ffnName: string,
  given: string | null,
): Layer {
  return {
    text: `Block(${[mixer.text, ffn.text, ...(given ? [`mixer_norm: ${given}`] : [])].join(", ")})`,
    places: {
      "mixer_norm.weight": same(`${prefix}${mixerName}_norm.weight`),
      "ffn_norm.weight": same(`${prefix}${ffnName}_norm.weight`),
      ...below("mixer.", `${prefix}${mixerName}.`, mixer.places),
      ...below("mixer.", "", mixer.elsewhere ?? {}),
      ...below("ffn.", `${prefix}${ffnName}.`, ffn.places),
    },
  };
}

export const blockPlaces = (blocks: readonly Layer[]): Places =>
  Object.assign({}, ...blocks.map(({ places }, i) => below(`blocks.${i}.`, "", places)));

export function sizes(settings: Settings): Pick<ModelText, "vocab" | "width"> {
  return { vocab: settings.count("vocab_size"), width: settings.count("hidden_size") };
}

export function model(
  settings: Settings,
  tied: boolean,
  blocks: readonly Layer[],
  prefix: string,
  last: string,
  given: string | null,
): Foreign {
  const options = [...(tied ? ["tied: true"] : []), ...(given ? [`norm: ${given}`] : [])];
  return {
    text: {
      model: "language_model",
      ...sizes(settings),
      options,
      blocks: blocks.map(({ text }) => text),
    },
    places: {
      table: same(`${prefix}embeddings.weight`),
      "norm.weight": same(`${prefix}${last}.weight`),
      ...(!tied && { "logits.weight": linear("lm_head.weight") }),
      ...blockPlaces(blocks),
    },
  };
}
