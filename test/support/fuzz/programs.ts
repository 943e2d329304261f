/** Real programs: what mutations start from. */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { layerCases } from "../models/layers.js";

const root = join(import.meta.dirname, "../../..");

/** The standard library's files, as a host gives them. */
export const library = readdirSync(join(root, "stdlib"))
  .filter((name) => name.endsWith(".lsm"))
  .sort()
  .map((name) => ({
    path: `stdlib/${name}`,
    text: readFileSync(join(root, "stdlib", name), "utf8"),
  }));

/** Every .lsm file below a folder of the repository, if it is there. */
function below(folder: string): string[] {
  try {
    return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".lsm"))
      .sort()
      .map((name) => readFileSync(join(root, folder, name), "utf8"));
  } catch {
    return [];
  }
}

/** The library's files whose layers a program names, so that mutations reach them too. */
function inlined(text: string): string {
  const own = library.filter((file) =>
    [...file.text.matchAll(/^layer (\w+)/gm)].some(([, name]) =>
      new RegExp(`\\b${name!}\\(`).test(text),
    ),
  );
  return [...own.map((file) => file.text), text].join("\n");
}

/** Tiny models of every layer, some with the library's layers written out beside them. */
export const models: readonly string[] = layerCases.flatMap(([, text]) => [text, inlined(text)]);

export const realPrograms: readonly string[] = [
  ...models,
  ...library.map(({ text }) => text),
  ...below("examples"),
  ...below("test/samples/parse").filter((text) => text.length < 10_000),
  ...below("test/samples/check"),
];
