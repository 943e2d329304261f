/** A program as one text: what checkpoints carry, so that they need no other file. */

import { parse } from "../../grammar/parse.js";
import type { Checked } from "../1-check/check.js";

/** The main file with the files it uses in front of it, their `use` lines gone. The library stays outside. */
export function resolvedSource({ path, text, sources }: Checked): string {
  const own = [...sources].filter(([source]) => source !== path && !source.startsWith("stdlib/"));
  if (own.length === 0) return text;
  const texts = [
    ...own.map(([source, used]) => `// from ${source}\n\n${withoutUses(used, source)}`),
  ];
  return [...texts, withoutUses(text, path)].map((part) => `${part.trim()}\n`).join("\n");
}

function withoutUses(text: string, path: string): string {
  const uses = parse(text, path).file.items.filter(({ kind }) => kind === "use");
  return uses.reduceRight(
    (rest, { span }) => rest.slice(0, span.start) + rest.slice(span.end),
    text,
  );
}
