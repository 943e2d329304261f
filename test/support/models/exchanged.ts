/**
 * Every model of the examples in a small size, and what they lack: each kind of parameter that a checkpoint can hold. Files of
 * examples keep their layers and models; sizes become small, and blocks for data and training are cut off.
 */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../../compiler/1-check/check.js";
import type { Model } from "../../../compiler/1-check/model.js";
import { nodeHost } from "../../../compiler/cli/node-host.js";

export interface Exchanged {
  readonly label: string;
  readonly source: string;
  readonly model: Model;
}

const small: readonly (readonly [RegExp, string])[] = [
  [/^(?:\/\/\/.*\n)*(?:data|train|parallel) [^]*/m, ""],
  [/vocab: \d+/g, "vocab: 32"],
  [/width: \d+/g, "width: 16"],
  [/\bheads: \d+/g, "heads: 2"],
  [/\bheads = \d+/g, "heads = 2"],
  [/\b(key|value): \d+/g, "$1: 8"],
  [/\b(key|value) = \d+/g, "$1 = 8"],
  [/hidden: \d+/g, "hidden: 12"],
  [/swiglu\(\)/g, "swiglu(hidden: 12)"],
  [/experts: \d+/g, "experts: 4"],
  [/top_k: \d+/g, "top_k: 2"],
  [/memories: \d+/g, "memories: 3"],
  [/Mamba2\(\)/g, "Mamba2(heads: 2, n: 4, value: 16)"],
  [/\[(\w)\] \* \d+/g, "[$1] * 2"],
  [/(\[\w(?:, \w)+\]) \* \d+/g, "$1"],
];

/** Parameters of kinds that no example has: a table for both ends, buffers, shared blocks, values that lead to later blocks. */
const others: Readonly<Record<string, string>> = {
  "tied embeddings": `model Tied {
  language_model(vocab: 32, width: 16, blocks: [Block(GLA(heads: 2), swiglu(hidden: 12))] * 2, tied: true)
}`,
  "a router's bias and given bounds, which are buffers": `model Buffers {
  B = Block(HGRN2(heads: 2, bound: "given"), MoE(experts: 4, top_k: 2, hidden: 8, shared: 1, scores: "sigmoid", bias: 0.01, balance: 0))
  language_model(vocab: 32, width: 16, blocks: [B] * 2)
}`,
  "a shared block": `model Shared {
  B = shared(Block(DeltaNet(heads: 2), swiglu(hidden: 12)))
  language_model(vocab: 32, width: 16, blocks: [B, B])
}`,
  "value residuals": `model Residuals {
  rwkv7_model(vocab: 32, width: 16, blocks: [RWKV7Block(heads: 2, rank: 4)] * 2)
}`,
  "names that Python keeps": `model Reserved {
  language_model(vocab: 32, width: 16, blocks: [Block(Mamba3(heads: 2, n: 8, value: 8), ChannelMix(hidden: 12)), Block(RWKV6(heads: 2, rank: 4, shift_rank: 4), swiglu(hidden: 12))])
}`,
};

export function exchangedModels(): readonly Exchanged[] {
  const folder = "examples";
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".lsm"),
  );
  return [
    ...files.sort().flatMap((name) => {
      const text = readFileSync(join(folder, name), "utf8");
      return modelsIn(
        name,
        small.reduce((shorter, [pattern, by]) => shorter.replace(pattern, by), text),
      );
    }),
    ...Object.entries(others).flatMap(([label, source]) => modelsIn(label, source)),
  ];
}

function modelsIn(label: string, source: string): readonly Exchanged[] {
  const host = nodeHost();
  const readText = (path: string): string => (path === "x.lsm" ? source : host.readText(path));
  const { models, ownModels, diagnostics } = check({ ...host, readText }, "x.lsm");
  const mistakes = diagnostics.filter(({ severity }) => severity === "error");
  if (mistakes.length > 0)
    throw new Error(`${label}: ${mistakes.map(({ title }) => title).join(", ")}\n${source}`);
  return [...ownModels].map((name) => ({
    label: `${label}: ${name}`,
    source,
    model: models.get(name)!,
  }));
}
