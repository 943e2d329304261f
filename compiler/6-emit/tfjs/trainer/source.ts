/** What the source says of a model's blocks, for the comments of emitted code. */

import type { ModelDeclaration } from "../../../../grammar/ast.js";
import { parse } from "../../../../grammar/parse.js";

export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** The statements of a model that name its blocks: `L` to `Block(GLA(heads: 4), …)`. */
export function blockTexts({ path, text }: SourceFile, model: string): ReadonlyMap<string, string> {
  const declaration = parse(text, path).file.items.find(
    (item): item is ModelDeclaration => item.kind === "model" && item.name.name === model,
  );
  const texts = new Map<string, string>();
  for (const statement of declaration?.body ?? [])
    if (statement.kind === "let")
      texts.set(
        statement.name.name,
        text.slice(statement.value.span.start, statement.value.span.end),
      );
  return texts;
}
