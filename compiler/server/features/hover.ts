/** Hover: what a name or an expression is, with its axes, its documentation and what it costs. */

import type { Hover, Position } from "vscode-languageserver-types";
import type { Expression, Span } from "../../../grammar/ast.js";
import type { KeyDescription } from "../../1-check/blocks/describe.js";
import type { Watch } from "../../1-check/watch.js";
import { familiesOf, figuresText, layerFigures, summaryOf } from "../costs.js";
import type { Local, Occurrence } from "../names/bind.js";
import { type Declared, meaningOf } from "../names/resolve.js";
import { builtinSignature, layerSignature } from "../names/signature.js";
import type { Syntax } from "../names/syntax.js";
import { valueText } from "../names/values.js";
import type { Program } from "../program.js";

export function hover(program: Program, position: Position): Hover | null {
  const offset = program.offsetAt(position);
  const spot = program.spotAt(offset);
  if (!spot) return null;
  const watch = program.watchOf(spot.item);
  const nodes = program.syntaxAt(offset);
  const occurrence = program.nameAt(offset);
  const found = occurrence ? ofName(occurrence, watch, nodes, program) : null;
  if (found) return { contents: markdown(found), range: program.rangeOf(occurrence!.span) };
  const seen = watch && firstValue(nodes, watch);
  return seen && { contents: markdown([code(seen.text)]), range: program.rangeOf(seen.node.span) };
}

const markdown = (parts: readonly (string | null)[]) => ({
  kind: "markdown" as const,
  value: parts.filter((part) => part !== null && part !== "").join("\n\n"),
});

const code = (text: string): string => `\`\`\`lsm\n${text}\n\`\`\``;

/** The innermost expression around the cursor that came to something. */
function firstValue(nodes: readonly Syntax[], watch: Watch): { node: Syntax; text: string } | null {
  for (const node of nodes) {
    if (node.kind === "axes" || node.kind === "mix") return null; // no more than what is in it
    const value = watch.valueOf(node as Expression);
    const text = value && valueText(value, watch);
    if (text) return { node, text };
  }
  return null;
}

function ofName(
  occurrence: Occurrence,
  watch: Watch | null,
  nodes: readonly Syntax[],
  program: Program,
): (string | null)[] | null {
  const { name } = occurrence;
  const here = watch && nameValue(occurrence.span, nodes, watch);
  const meaning = meaningOf(occurrence.target, program);
  switch (meaning?.kind) {
    case undefined:
      return here ? [code(`${name}: ${here}`)] : null;
    case "local":
      return [
        ...localText(meaning.local, here, watch, program),
        recipeText(meaning.local, program),
      ];
    case "declared":
      return declaredText(meaning.item, program);
    case "builtin":
      return [code(builtinSignature(meaning.name, meaning.builtin).text), meaning.builtin.doc];
    case "parameter":
      return [
        code(program.sourceOf(meaning.parameter.span)),
        `of the layer \`${meaning.layer.name.name}\``,
      ];
    case "builtin-parameter":
      return [code(`${name}: ${meaning.parameter.expected}`), meaning.builtin.doc];
    case "key":
      return keyText(meaning.key);
    case "choice":
      return [code(meaning.choice.word), meaning.choice.doc];
    case "word":
      return [code(name), meaning.doc];
  }
}

/** What a name stands for at this place: names may change while a layer runs. */
function nameValue(span: Span, nodes: readonly Syntax[], watch: Watch): string | null {
  const [first, second] = nodes;
  // the name itself, or the statement that gives it
  const node = first?.kind === undefined ? second : first;
  const given = node as { kind?: string; value?: Expression; name?: { span?: Span } } | undefined;
  const isName = given?.kind === "let" && given.name?.span?.start === span.start;
  const expression = isName ? given.value : first?.kind === "name" ? (first as Expression) : null;
  const value = expression && watch.valueOf(expression);
  return value ? valueText(value, watch) : null;
}

function localText(
  { kind, name, parameter }: Local,
  here: string | null,
  watch: Watch | null,
  program: Program,
): string[] {
  const final = watch?.names.get(name);
  const known = here ?? (final && watch ? valueText(final, watch) : null);
  const shown = known === null ? name : `${name}: ${known}`;
  switch (kind) {
    case "parameter":
      return [
        code(program.sourceOf(parameter!.span)),
        ...(known === null || known === name ? [] : [`here ${known}`]),
      ];
    case "state":
      return [code(`state ${shown}`), ...stateText(name, watch)];
    case "route":
      return [code(`route ${shown}`)];
    case "choice":
      return [code(name), "the one of the route's choices whose parameters are in use"];
    case "size":
      return [code(shown), "the size of the input's axis"];
    case "input":
    case "value":
    case "axis":
      return [code(shown)];
  }
}

function stateText(name: string, watch: Watch | null): string[] {
  const family = watch && familiesOf(watch).get(name);
  return family ? [`recurrence: ${family}`] : [];
}

function recipeText({ kind, recipe }: Local, program: Program): string | null {
  const layer =
    recipe === null || kind !== "value"
      ? undefined
      : program.checked.declarations.layers.get(recipe);
  return layer ? declaredText(layer, program).slice(1).join("\n\n") : null;
}

function declaredText(item: Declared, program: Program): string[] {
  if (item.kind === "layer") {
    const head = code(`layer ${layerSignature(item, program).text}`);
    const cost = [...program.checked.models.values()].flatMap((model) => {
      const figures = layerFigures(item, model);
      return figures === null ? [] : [`In \`${model.name}\`: ${figures}`];
    });
    return [head, item.doc ?? "", ...cost.slice(0, 3)];
  }
  if (item.kind !== "model") return [code(`${item.kind} ${item.name.name}`), item.doc ?? ""];
  const model = program.checked.models.get(item.name.name);
  const summary = model && summaryOf(model);
  const figures = summary
    ? `${figuresText(summary)}, for ${summary.tokens.toLocaleString("en-US")} tokens`
    : "";
  return [code(`model ${item.name.name}`), item.doc ?? "", figures];
}

function keyText({ usage, takes, default: otherwise, doc }: KeyDescription): string[] {
  const value = otherwise === null ? "" : ` Unless given: \`${otherwise}\`.`;
  return [code(usage), `${doc}\n\nTakes ${takes}.${value}`];
}
