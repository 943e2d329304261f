/** Inlay hints: the axes that a name got, where the program does not write them out. */

import type { InlayHint, Range } from "vscode-languageserver-types";
import type { Expression, Item, LetStatement, Statement } from "../../../grammar/ast.js";
import { axesText } from "../names/values.js";
import { childrenOf } from "../names/syntax.js";
import type { Program } from "../program.js";

export function inlayHints(program: Program, { start, end }: Range): InlayHint[] {
  const [from, to] = [program.offsetAt(start), program.offsetAt(end)];
  return program.file.items.flatMap((item) => {
    const watch = program.watchOf(item);
    const place = program.place(item.span);
    if (!watch || place.end < from || to < place.start) return [];
    return letsIn(item).flatMap(({ name, annotation, value }): InlayHint[] => {
      const { end: at } = program.place(name.span);
      const came = annotation === null && from <= at && at <= to ? watch.valueOf(value) : undefined;
      const text = came && axesText(came, watch);
      if (!text) return [];
      return [{ position: program.range(program.path, at, at).start, label: `: ${text}`, kind: 1 }];
    });
  });
}

/** All `name = …` of an item, those in braces included. */
function letsIn(item: Item): LetStatement[] {
  if (item.kind !== "layer" && item.kind !== "model") return [];
  const found: LetStatement[] = [];
  const open: (Statement | Expression)[] = [...item.body];
  for (let node = open.pop(); node; node = open.pop()) {
    if (node.kind === "let") found.push(node);
    open.push(...(childrenOf(node) as (Statement | Expression)[]));
  }
  return found.sort((a, b) => a.span.start - b.span.start);
}
