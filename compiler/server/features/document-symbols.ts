/** The outline of a file: its declarations, and in them their parameters, states, routes and values. */

import { type DocumentSymbol, SymbolKind } from "vscode-languageserver-types";
import type {
  Identifier,
  Item,
  Parameter,
  Setting,
  Span,
  Statement,
} from "../../../grammar/ast.js";
import type { Declared } from "../names/resolve.js";
import type { Program } from "../program.js";

const kinds: Readonly<Record<Declared["kind"], SymbolKind>> = {
  layer: SymbolKind.Class,
  model: SymbolKind.Module,
  data: SymbolKind.Object,
  train: SymbolKind.Event,
  parallel: SymbolKind.Object,
  convert: SymbolKind.Event,
};

export function documentSymbols(program: Program): DocumentSymbol[] {
  return program.file.items.flatMap((item) => symbolOf(item, program));
}

function symbolOf(item: Item, program: Program): DocumentSymbol[] {
  if (item.kind === "error") return [];
  if (item.kind === "use")
    return [
      symbol(item.path.value, SymbolKind.File, item.span, item.path.span, "use", [], program),
    ];
  const children =
    item.kind === "layer" || item.kind === "model"
      ? [
          ...item.parameters.map((parameter) => parameterSymbol(parameter, program)),
          ...item.body.flatMap((statement) => statementSymbol(statement, program)),
        ]
      : item.settings.map((setting) => settingSymbol(setting, program));
  const { name, kind, span } = item;
  return [symbol(name.name, kinds[kind], span, name.span, kind, children, program)];
}

function parameterSymbol({ name, span }: Parameter, program: Program): DocumentSymbol {
  return symbol(name.name, SymbolKind.Property, span, name.span, "parameter", [], program);
}

function settingSymbol({ key, span }: Setting, program: Program): DocumentSymbol {
  return symbol(key.name, SymbolKind.Key, span, key.span, "", [], program);
}

function statementSymbol(statement: Statement, program: Program): DocumentSymbol[] {
  const named = (name: Identifier, kind: SymbolKind, detail: string): DocumentSymbol[] => [
    symbol(name.name, kind, statement.span, name.span, detail, [], program),
  ];
  switch (statement.kind) {
    case "let":
      return named(statement.name, SymbolKind.Variable, "");
    case "state":
      return named(statement.name, SymbolKind.Field, "state");
    case "route":
      return named(statement.name, SymbolKind.Operator, "route");
    case "write":
    case "expression":
    case "error":
      return [];
  }
}

function symbol(
  name: string,
  kind: SymbolKind,
  whole: Span,
  own: Span,
  detail: string,
  children: DocumentSymbol[],
  program: Program,
): DocumentSymbol {
  const [range, selectionRange] = [program.rangeOf(whole), program.rangeOf(own)];
  return { name: name || "…", detail, kind, range, selectionRange, children };
}
