/** A training step has no use for the logits once the loss is known. */

import type { Module } from "../ir/graph.js";

export function withoutPrediction({ functions, main: name }: Module): Module {
  const main = functions.get(name)!;
  const outputs = main.outputs.filter((output) => output.name !== "prediction");
  return { main: name, functions: new Map([...functions, [name, { ...main, outputs }]]) };
}
