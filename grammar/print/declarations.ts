/** Declarations and settings as prettier documents. */

import type { Doc } from "prettier";
import { builders } from "prettier/doc";
import type {
  BlockDeclaration,
  Item,
  LayerDeclaration,
  ModelDeclaration,
  Parameter,
  Setting,
} from "../ast.js";
import { quote } from "../literals.js";
import { expression } from "./expressions.js";
import { block, commaList, mayShareLine, type Context } from "./lists.js";
import { body, bodyMayShareLine } from "./bodies.js";

export function item(node: Item, context: Context): Doc {
  switch (node.kind) {
    case "use":
      return ["use ", quote(node.path.value)];
    case "layer":
    case "model":
      return layer(node, context);
    case "error":
      return context.source.text.slice(node.span.start, node.span.end);
    default:
      return settings(node, context);
  }
}

function layer(node: LayerDeclaration | ModelDeclaration, context: Context): Doc {
  const { source } = context;
  const next = source.tokenFrom(node.name.span.end);
  const print = (p: Parameter) => parameter(p, context);
  const brackets = { left: "(", right: ")" };
  const parameters =
    next?.image === "("
      ? commaList(next.startOffset, node.parameters, print, brackets, context)
      : "";
  const open = source.openOfLast(node.span);
  const oneLine = bodyMayShareLine(open, node.body, context);
  return [
    node.kind,
    " ",
    node.name.name,
    parameters,
    " ",
    builders.group(body(open, node.body, oneLine, context)),
  ];
}

function parameter({ name, annotation, default: initial }: Parameter, context: Context): Doc {
  const kind =
    annotation === null
      ? ""
      : [": ", "kind" in annotation ? expression(annotation, context) : annotation.name];
  return [name.name, kind, initial === null ? "" : [" = ", expression(initial, context)]];
}

function settings(node: BlockDeclaration, context: Context): Doc {
  const { on } = node;
  const count = on === null || on.count === null ? "" : [" * ", expression(on.count, context)];
  const device = on === null ? "" : [" on ", on.device.name, count];
  const open = context.source.openOfLast(node.span);
  const oneLine = mayShareLine(open, context);
  const all = block(open, node.settings, oneLine, (s) => setting(s, context), context);
  return [node.kind, " ", node.name.name, device, " ", builders.group(all)];
}

function setting({ key, every, value, modifiers }: Setting, context: Context): Doc {
  return [
    key.name,
    every ? " every" : "",
    value === null ? "" : [" ", expression(value, context)],
    modifiers.map(({ word, value: of }) => [" ", word, " ", expression(of, context)]),
  ];
}
