/** A checked model: its functions at the token level, all sizes known. */

import type { ModelDeclaration } from "../../grammar/ast.js";
import { messages } from "../diagnostics/messages.generated.js";
import type { Reporter } from "../diagnostics/report.js";
import { GraphBuilder } from "../ir/builder.js";
import type { Graph, Module } from "../ir/graph.js";
import type { Declarations } from "./declarations.js";
import { Budget } from "./elaborate/budget.js";
import { type Window, finishedWindow, forecasts } from "./elaborate/windows.js";
import { elaborator } from "./elaborate/elaborator.js";
import type { Environment, Frame } from "./elaborate/frame.js";
import { checkSteps } from "./steps.js";
import { warnOfSteps } from "./step-warnings.js";
import type { Part } from "./trace.js";
import { errorValue } from "./values.js";
import type { Watch } from "./watch.js";

export type { Window } from "./elaborate/windows.js";

export interface Model {
  readonly name: string;
  readonly doc: string | null;
  readonly vocabulary: number | null; // token ids are below it; null for a model that reads no tokens
  /** What a model of series reads and forecasts; null for one that reads tokens. */
  readonly window: Window | null;
  readonly module: Module;
  /** What each of the module's functions was built from. */
  readonly parts: ReadonlyMap<string, readonly Part[]>;
}

/** Tokens in a sequence of the model: those of its windows; else `otherwise`, which whoever uses it chooses. */
export const timeOf = ({ window }: Pick<Model, "window">, otherwise: number): number =>
  window?.tokens ?? otherwise;

/** Builds a model with its parameters' defaults; null when anything in it is wrong (reported). */
export function instantiate(
  declaration: ModelDeclaration,
  declarations: Declarations,
  reporter: Reporter,
  budget = new Budget(),
  watch: Watch | null = null,
): Model | null {
  const builder = new GraphBuilder("main");
  const environment: Environment = {
    declarations,
    reporter,
    elaborator,
    functions: new Map(),
    functionByText: new Map(),
    parts: new Map(),
    blocksByRecipe: new Map(),
    model: declaration,
    budget,
    vocabulary: null,
    window: null,
    scales: [],
    failed: false,
    generic: false,
    watch,
  };
  const frame: Frame = {
    environment,
    builder,
    names: new Map(),
    parent: null,
    path: [],
    root: [],
    stateValues: [],
    stack: [],
    parts: [],
    shared: null,
    block: null,
  };
  watch?.begin(builder, 0, frame.parts, frame.names);
  const name = declaration.name.name;
  for (const parameter of declaration.parameters) {
    const value = parameter.default ? elaborator.evaluate(parameter.default, frame) : errorValue;
    if (!parameter.default)
      reporter.report(
        messages.missingArgument({ callee: name, names: `\`${parameter.name.name}\`` }),
        [{ span: parameter.span, text: "a model's parameters need defaults" }],
        `give it one: \`${parameter.name.name} = …\``,
      );
    frame.names.set(parameter.name.name, value);
  }
  const result = elaborator.body(
    declaration.body,
    frame,
    `the model \`${name}\``,
    declaration.name.span,
  );
  if (result.kind === "error") return null;
  if (!builder.outputs.some((output) => output.name === "loss")) {
    if (declarations.damaged.has(declaration)) return null;
    reporter.report(messages.noObjective({ name }), [
      { span: declaration.name.span, text: "no loss" },
    ]);
    return null;
  }
  const graph = builder.finish();
  if (!checkSteps(graph, reporter)) return null;
  warnOfSteps(graph, { parts: frame.parts, library: declarations.library }, reporter);
  if (!forecasts(declaration, frame) || environment.failed) return null;
  const functions = new Map([...environment.functions, ["main", withoutCommonRoot(graph)]]);
  return {
    name,
    doc: declaration.doc,
    vocabulary: environment.vocabulary,
    window: environment.window && finishedWindow(environment.window),
    module: { main: "main", functions },
    parts: new Map([...environment.parts, ["main", frame.parts]]),
  };
}

/** When everything lies under one segment (`language_model.…`), the segment says nothing. */
function withoutCommonRoot(graph: Graph): Graph {
  const paths = [
    ...graph.parameters.map(({ path }) => path),
    ...graph.nodes.flatMap((node) => (node.op === "call" ? [node.attributes.prefix] : [])),
  ];
  const root = paths[0]?.split(".")[0];
  if (root === undefined || !paths.every((path) => path.startsWith(`${root}.`))) return graph;
  const strip = (path: string): string => path.slice(root.length + 1);
  return {
    ...graph,
    parameters: graph.parameters.map((parameter) => ({
      ...parameter,
      path: strip(parameter.path),
    })),
    updates: graph.updates.map((update) => ({ ...update, path: strip(update.path) })),
    metrics: graph.metrics.map((metric) => ({ ...metric, name: strip(metric.name) })),
    nodes: graph.nodes.map((node) =>
      node.op === "call"
        ? { ...node, attributes: { ...node.attributes, prefix: strip(node.attributes.prefix) } }
        : node,
    ),
  };
}
