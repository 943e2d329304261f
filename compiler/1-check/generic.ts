/**
 * Checks a layer on its own, before any model uses it: every size that its caller would choose is
 * unknown. An unknown size is carried as a number with many divisors beside its name, so that sizes made
 * from it (`width / 2 / heads`) stay comparable, and messages show the name.
 */

import type { LayerDeclaration, Parameter } from "../../grammar/ast.js";
import { Reporter } from "../diagnostics/report.js";
import { GraphBuilder } from "../ir/builder.js";
import type { Declarations } from "./declarations.js";
import { expectedOf, isInput } from "./elaborate/apply.js";
import { headerFits } from "./headers.js";
import { Budget } from "./elaborate/budget.js";
import { elaborator } from "./elaborate/elaborator.js";
import type { Environment, Frame } from "./elaborate/frame.js";
import { checkSteps } from "./steps.js";
import { warnOfSteps } from "./step-warnings.js";
import { type BoundArgument, type CompileValue, tensorValue } from "./values.js";
import type { Watch } from "./watch.js";

/** Primes that tell unknown sizes apart; each size is one of them times 2¹⁰·3·5. */
const primes = [7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47];

/** What cannot be said while the caller chooses the axes themselves: `over` may be one of x's own, or new. */
const aboutAxes: ReadonlySet<string> = new Set([
  "missing-axis",
  "axis-mismatch",
  "axis-size-mismatch",
  "annotation-mismatch",
  "duplicate-axis",
  "unknown-axis",
  "input-mismatch",
  "state-shape",
  "bad-size",
]);

export function checkLayer(
  layer: LayerDeclaration,
  declarations: Declarations,
  reporter: Reporter,
  budget = new Budget(),
  watch: Watch | null = null,
): void {
  const open = layer.parameters.some(
    (parameter) => !parameter.default && ["axis", "axes"].includes(expectedOf(parameter)),
  );
  if (!open) return checkAlone(layer, declarations, reporter, budget, watch);
  const own = new Reporter();
  checkAlone(layer, declarations, own, budget, watch);
  reporter.addAll(own.diagnostics.filter(({ code }) => !aboutAxes.has(code)));
}

function checkAlone(
  layer: LayerDeclaration,
  declarations: Declarations,
  reporter: Reporter,
  budget: Budget,
  watch: Watch | null,
): void {
  const builder = new GraphBuilder(layer.name.name);
  const environment: Environment = {
    declarations,
    reporter,
    elaborator,
    functions: new Map(),
    functionByText: new Map(),
    parts: new Map(),
    blocksByRecipe: new Map(),
    model: null,
    budget,
    vocabulary: null,
    window: null,
    scales: [],
    failed: false,
    generic: true,
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
    block: { depth: 0, depths: 1, asked: false },
  };
  watch?.begin(builder, 1, frame.parts);
  const unknown = new Map<string, number>();
  const size = (name: string): number => {
    const known = unknown.get(name);
    if (known !== undefined) return known;
    const value = 15360 * primes[unknown.size % primes.length]!;
    unknown.set(name, value);
    return value;
  };
  if (!headerFits(layer, reporter)) return;
  const bound = new Map<string, BoundArgument>();
  for (const parameter of layer.parameters) {
    if (parameter.default) continue;
    const value = unknownArgument(parameter, size, builder);
    if (value) bound.set(parameter.name.name, { value, span: parameter.span });
  }
  elaborator.apply(
    { kind: "recipe", layer, bound, name: "", span: layer.name.span, shared: null },
    [],
    frame,
    layer.name.span,
  );
  const graph = builder.finish();
  if (checkSteps(graph, reporter))
    warnOfSteps(graph, { parts: frame.parts, library: declarations.library }, reporter);
}

function unknownArgument(
  parameter: Parameter,
  size: (name: string) => number,
  builder: GraphBuilder,
): CompileValue | null {
  const name = parameter.name.name;
  const { annotation, span } = parameter;
  if (isInput(parameter) && annotation !== null && "entries" in annotation) {
    const axes = annotation.entries.flatMap((entry) => {
      if (entry.value.kind !== "name") return [];
      const axis = entry.spread ? "features" : entry.value.name;
      return [{ name: axis, size: size(axis), label: axis }];
    });
    builder.span = span;
    return tensorValue(builder.input(name, { dtype: "float", axes }));
  }
  switch (expectedOf(parameter)) {
    case "axis":
      return { kind: "axis", name: "features", size: size("features") };
    case "axes":
      return { kind: "axes", axes: [{ name: `${name}₁`, size: size(name), label: name }] };
    case "layer":
      return { kind: "recipe", layer: null, bound: new Map(), name, span, shared: null };
    case "layers":
      return { kind: "list", items: [] };
    case "boolean":
      return { kind: "boolean", value: true };
    case "text":
      return { kind: "text", value: "" };
    default:
      return { kind: "number", value: size(name), label: name };
  }
}
