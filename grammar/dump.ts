/** The tree as text: one line a declaration, parameter, statement and setting. For tests and for looking. */

import type {
  Argument,
  AxisEntry,
  Expression,
  Item,
  Parameter,
  Setting,
  SourceFile,
  Statement,
} from "./ast.js";
import { quote } from "./literals.js";

export function dump(file: SourceFile): string {
  return file.items.map((node) => `${item(node)}\n`).join("");
}

const indented = (lines: readonly string[]) =>
  lines.map((line) => `\n${line}`.replaceAll("\n", "\n  ")).join("");
const optional = (before: string, node: Expression | null) =>
  node === null ? "" : ` ${before}${expression(node)}`;

function item(node: Item): string {
  if (node.kind === "error") return "(error)";
  if (node.kind === "use") return `(use ${quote(node.path.value)})`;
  const doc = node.doc === null ? "" : ` doc ${quote(node.doc)}`;
  const head = `(${node.kind} ${node.name.name}${doc}`;
  if (node.kind === "layer" || node.kind === "model") {
    return `${head}${indented([...node.parameters.map(parameter), ...node.body.map(statement)])})`;
  }
  const on = node.on === null ? "" : ` on ${node.on.device.name}${optional("* ", node.on.count)}`;
  return `${head}${on}${indented(node.settings.map(setting))})`;
}

function parameter({ name, annotation, default: initial }: Parameter): string {
  const kind =
    annotation === null
      ? ""
      : `: ${"kind" in annotation ? expression(annotation) : annotation.name}`;
  return `(parameter ${name.name}${kind}${optional("= ", initial)})`;
}

function setting({ key, every, value, modifiers }: Setting): string {
  const rest = modifiers.map((m) => ` ${m.word} ${expression(m.value)}`).join("");
  return `(setting ${key.name}${every ? " every" : ""}${optional("", value)}${rest})`;
}

function statement(node: Statement): string {
  switch (node.kind) {
    case "let":
      return `(let ${node.name.name}${optional(": ", node.annotation).replace(" :", ":")} ${expression(node.value)})`;
    case "state":
      return `(state ${node.name.name}: ${expression(node.axes)}${optional("= ", node.initial)})`;
    case "write":
      return `(write ${node.state.name} ${expression(node.value)}${optional("at ", node.at)})`;
    case "route":
      return `(route ${node.name.name} ${expression(node.value)})`;
    case "expression":
      return expression(node.value);
    case "error":
      return "(error)";
  }
}

function expression(node: Expression): string {
  switch (node.kind) {
    case "number":
      return String(node.value);
    case "string":
      return quote(node.value);
    case "name":
      return node.name;
    case "unary":
      return `(${node.operator} ${expression(node.operand)})`;
    case "binary":
      return `(${node.operator} ${expression(node.left)} ${expression(node.right)})`;
    case "call":
      return `(call ${[node.callee.name, ...node.arguments.map(argument)].join(" ")})`;
    case "member":
      return `(member ${expression(node.object)} ${node.property.name})`;
    case "axes":
      return `[${node.entries.map(entry).join(" ")}]`;
    case "pairs":
      return `{${node.entries.map(argument).join(" ")}}`;
    case "parenthesized":
      return `(paren ${expression(node.expression)})`;
    case "mix":
      return `(mix ${node.binder.name} in ${node.route.name}${indented(node.body.map(statement))})`;
    case "if": {
      const branches = [...node.then.map(statement), "else", ...node.else.map(statement)];
      return `(if ${expression(node.condition)}${indented(branches)})`;
    }
    case "error":
      return "(error)";
  }
}

const argument = ({ name, value }: Argument) =>
  `${name === null ? "" : `${name.name}: `}${expression(value)}`;
const entry = ({ spread, value, size }: AxisEntry) =>
  `${spread ? ".." : ""}${expression(value)}${optional(": ", size).replace(" :", ":")}`;
