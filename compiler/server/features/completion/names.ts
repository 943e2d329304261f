/** Names of layers, functions and values as completions. */

import { builtins } from "../../../1-check/builtins/index.js";
import type { Watch } from "../../../1-check/watch.js";
import type { Local, LocalKind } from "../../names/bind.js";
import { words } from "../../names/binder.js";
import { builtinSignature, layerSignature } from "../../names/signature.js";
import { valueText } from "../../names/values.js";
import type { Program } from "../../program.js";
import { type Entry, CompletionItemKind } from "./entry.js";

const kinds: Readonly<Record<LocalKind, CompletionItemKind>> = {
  input: CompletionItemKind.Variable,
  parameter: CompletionItemKind.Constant,
  size: CompletionItemKind.TypeParameter,
  value: CompletionItemKind.Variable,
  state: CompletionItemKind.Field,
  route: CompletionItemKind.Reference,
  choice: CompletionItemKind.Variable,
  axis: CompletionItemKind.TypeParameter,
};

export function localEntry({ name, kind }: Local, watch: Watch | null): Entry {
  const value = watch?.names.get(name);
  const detail = value && watch ? valueText(value, watch) : null;
  return { label: name, kind: kinds[kind], detail: detail ?? kind };
}

const keyword = (label: string, insert: string, doc: string): Entry => ({
  label,
  kind: CompletionItemKind.Keyword,
  insert,
  doc,
});

/** What can begin a statement beside a name. */
export const statementWords: readonly Entry[] = [
  keyword("state", "state ", "a value that lives across tokens: `state S: [heads, key, value]`"),
  keyword("route", "route ", "a choice for each token: `route r = top_k(scores, k)`"),
  keyword("mix", "mix ", "runs a body for every choice: `mix e in r { … }`"),
  keyword("if", "if ", "decided when the model is built: `if gain { … } else { … }`"),
];

/** Layers of the program and the library, built-in functions, and words. */
export function expressionEntries(program: Program): Entry[] {
  const { layers } = program.checked.declarations;
  const known = layers.keys().flatMap((name): Entry[] => {
    const layer = layers.get(name);
    if (!layer) return [];
    const { text } = layerSignature(layer, program);
    return [{ label: name, kind: CompletionItemKind.Class, detail: text, doc: layer.doc }];
  });
  const functions = [...builtins].map(([name, builtin]): Entry => ({
    label: name,
    kind: CompletionItemKind.Function,
    detail: builtinSignature(name, builtin).text,
    doc: builtin.doc,
  }));
  const constants = Object.entries(words).map(([label, doc]): Entry => ({
    label,
    kind: CompletionItemKind.Keyword,
    doc,
  }));
  return [...known, ...functions, ...constants];
}
