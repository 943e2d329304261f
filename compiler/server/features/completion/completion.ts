/** Completion: what can stand at the cursor, judged by the tokens before it and the names around it. */

import type { CompletionItem, Position } from "vscode-languageserver-types";
import { declarationWords } from "../../../../grammar/tokens.js";
import { builtins } from "../../../1-check/builtins/index.js";
import { type Context, type Open, argumentAt, contextAt, lineOf } from "../../names/context.js";
import { blockDescription, declaredAs } from "../../names/resolve.js";
import { visibleAt } from "../../names/scope.js";
import type { Program } from "../../program.js";
import { choicesOf, keysOf, optionNames, settingOf } from "./blocks.js";
import { type Entry, CompletionItemKind, toProtocol } from "./entry.js";
import { fileEntries } from "./files.js";
import { headerEntries } from "./headers.js";
import { expressionEntries, localEntry, statementWords } from "./names.js";

export function completion(program: Program, position: Position): CompletionItem[] {
  const offset = program.offsetAt(position);
  const context = contextAt(program.text, offset);
  if (context.text !== null)
    return fileEntries(context, context.text, offset, program).map(toProtocol);
  if (context.quiet) return [];
  return entriesAt(context, offset, program).map(toProtocol);
}

function entriesAt(context: Context, offset: number, program: Program): Entry[] {
  const outer = context.open.at(-1);
  if (!outer) return outsideEntries(context);
  const kind = outer.declaration;
  if (kind === "data" || kind === "train" || kind === "parallel" || kind === "convert")
    return settingEntries(kind, context, program);
  if (outer.bracket === "(" && context.open.length === 1 && isHeader(outer))
    return headerEntries(outer, () => bodyEntries(context, offset, program));
  return bodyEntries(context, offset, program);
}

/** Between declarations: the words that begin one, once a line. */
function outsideEntries({ outside }: Context): Entry[] {
  const line = lineOf(outside);
  if (line.length > 0) {
    const devices = line[0]!.image === "parallel" ? blockDescription("parallel").words : [];
    return line.at(-1)!.image === "on"
      ? devices.map(({ word, doc }) => ({ label: word, kind: CompletionItemKind.EnumMember, doc }))
      : [];
  }
  return declarationWords.map((label) => ({ label, kind: CompletionItemKind.Keyword }));
}

const isHeader = ({ declaration }: Open): boolean => declaration !== null;

function bodyEntries({ open }: Context, offset: number, program: Program): Entry[] {
  const inner = open[0]!;
  const spot = program.spotNear(offset);
  const locals = spot ? visibleAt(spot.item, spot.offset) : [];
  const watch = spot && program.watchOf(spot.item);
  const names = locals.map((local) => localEntry(local, watch));
  const last = inner.tokens.at(-1)?.image;
  if (last === ".") {
    const object = locals.find(({ name }) => name === inner.tokens.at(-2)?.image);
    return object?.kind === "state" ? [stateProperty] : [];
  }
  if (inner.bracket === "[") {
    const axes = locals
      .filter(({ kind }) => axisKinds.has(kind))
      .map((each) => localEntry(each, watch));
    return inner.before === null
      ? [...axes, ...names.filter((each) => !axes.some(({ label }) => label === each.label))]
      : axes;
  }
  const all = [...names, ...expressionEntries(program)];
  if (inner.bracket === "(" && inner.before !== null) {
    const { name, given, fresh } = argumentAt(inner);
    return name === null && fresh
      ? [...argumentEntries(inner.before, given, offset, program), ...all]
      : all;
  }
  const begins = inner.bracket === "{" && lineOf(inner.tokens).length === 0;
  return begins ? [...statementWords, ...all] : all;
}

const axisKinds: ReadonlySet<string> = new Set(["size", "parameter", "axis"]);

const stateProperty: Entry = {
  label: "prev",
  kind: CompletionItemKind.Property,
  doc: "the state before this token's step",
};

/** Names of arguments that a call does not have yet. */
function argumentEntries(
  callee: string,
  given: readonly string[],
  offset: number,
  program: Program,
): Entry[] {
  return parameterNames(callee, offset, program)
    .filter(({ label }) => !given.includes(label))
    .map((each) => ({ ...each, insert: `${each.label}: `, first: true }));
}

function parameterNames(callee: string, offset: number, program: Program): Entry[] {
  const spot = program.spotNear(offset);
  const local = spot && visibleAt(spot.item, spot.offset).find(({ name }) => name === callee);
  const name = local ? local.recipe : callee;
  const layer = name === null ? undefined : declaredAs(name, program);
  const kind = CompletionItemKind.Field;
  if (layer?.kind === "layer")
    return layer.parameters.map((parameter) => ({
      label: parameter.name.name,
      kind,
      detail: program.sourceOf(parameter.span),
    }));
  return (builtins.get(name ?? "")?.parameters ?? []).map(({ name: own, expected }) => ({
    label: own,
    kind,
    detail: expected,
  }));
}

function settingEntries(
  kind: "data" | "train" | "parallel" | "convert",
  { open, word }: Context,
  program: Program,
): Entry[] {
  const block = blockDescription(kind);
  const body = open.at(-1)!;
  const setting = settingOf(body, block);
  if (open.length > 1) {
    const path = [...open]
      .slice(0, -1)
      .reverse()
      .map(({ before }) => before);
    return optionNames(block, setting, path, argumentAt(open[0]!), open[0]!, program);
  }
  return setting === null
    ? keysOf(block, body, word)
    : choicesOf(block, setting, lineOf(body.tokens), program);
}
