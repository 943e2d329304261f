/** Keys, choices and options of the `data`, `train`, `parallel` and `convert` blocks, from their tables. */

import type {
  BlockDescription,
  ChoiceDescription,
  KeyDescription,
} from "../../../1-check/blocks/describe.js";
import type { Token } from "../../../../grammar/vocabulary.js";
import { type Argument, type Open, lineOf } from "../../names/context.js";
import { declaredAs } from "../../names/resolve.js";
import type { Program } from "../../program.js";
import { type Entry, CompletionItemKind } from "./entry.js";

/** The key whose value the cursor is at; null where a key can begin. */
export function settingOf(body: Open, { keys }: BlockDescription): KeyDescription | null {
  const line = lineOf(body.tokens);
  return (
    keys.find(({ key }) => key === line.at(-1)?.image) ??
    keys.find(({ key }) => key === line[0]?.image) ??
    null
  );
}

/** Keys that the block does not have yet, and those that may come again. */
export function keysOf({ keys }: BlockDescription, body: Open, word: string): Entry[] {
  const present = new Set(body.tokens.map(({ image }) => image));
  return keys
    .filter(({ key, need }) => need === "some" || key === word || !present.has(key))
    .map(keyEntry);
}

function keyEntry({ key, usage, doc, need }: KeyDescription): Entry {
  const first = need === "required";
  return {
    label: key,
    kind: CompletionItemKind.Property,
    detail: usage,
    doc,
    first,
    insert: `${key} `,
  };
}

/** What can be the value of a setting: choices, and names of what it refers to. */
export function choicesOf(
  { kind }: BlockDescription,
  { key, choices, usage }: KeyDescription,
  line: readonly Token[],
  program: Program,
): Entry[] {
  const { declarations } = program.checked;
  const refers = (names: Iterable<string>): Entry[] =>
    [...names].map((label) => ({
      label,
      kind: CompletionItemKind.Reference,
      doc: declaredAs(label, program)?.doc ?? null,
    }));
  if (kind === "train" && key === "model") return refers(declarations.models.keys());
  if (kind === "train" && key === "data")
    return refers(
      declarations.blocks.filter((block) => block.kind === "data").map(({ name }) => name.name),
    );
  if (kind === "convert" && key === "replace") return refers(declarations.layers.keys());
  const parts = usage.split(" ").slice(1);
  const written = line.map(({ image }) => image);
  const next = parts.find(
    (part) => /^(?:every|over|by|with|schedule)$/.test(part) && !written.includes(part),
  );
  const behind = written.at(-1);
  const words: Entry[] =
    next && behind !== "over" && behind !== "by" && behind !== "schedule"
      ? [{ label: next, kind: CompletionItemKind.Keyword, first: true }]
      : [];
  return [...words, ...choices.map(choiceEntry)];
}

const choiceEntry = ({ word, doc }: ChoiceDescription): Entry => ({
  label: /^[A-Za-z_]\w*$/.test(word) ? word : `"${word}"`,
  kind: CompletionItemKind.EnumMember,
  doc,
});

/** Names of the options of a choice, or of the axes of a mesh; parameters of a layer that takes another's place. */
export function optionNames(
  { kind }: BlockDescription,
  setting: KeyDescription | null,
  path: readonly (string | null)[],
  { name, given, fresh }: Argument,
  inner: Open,
  program: Program,
): Entry[] {
  if (setting === null || name !== null || !fresh) return [];
  const callee = path.at(-1);
  if (kind === "convert" && setting.key === "replace" && callee) {
    const layer = declaredAs(callee, program);
    return layer?.kind === "layer"
      ? layer.parameters
          .filter((each) => each.default !== null)
          .map((each) => ({
            label: each.name.name,
            kind: CompletionItemKind.Field,
            detail: program.sourceOf(each.span),
            insert: `${each.name.name}: `,
          }))
      : [];
  }
  if (inner.bracket === "{")
    return setting.choices
      .filter(({ word }) => !given.includes(word))
      .map((each) => ({ ...choiceEntry(each), insert: `${each.word}: ` }));
  const options = setting.choices.find(({ word }) => word === callee)?.options ?? [];
  return options
    .filter(({ key }) => !given.includes(key))
    .map((each) => ({ ...keyEntry(each), insert: `${each.key}: ` }));
}
