/** Calls of layers: recipes, their application, and what a layer's header binds. */

import type {
  AxesLiteral,
  CallExpression,
  LayerDeclaration,
  Parameter,
  Span,
} from "../../../grammar/ast.js";
import { messages } from "../../diagnostics/messages.generated.js";
import type { Axis } from "../../ir/types.js";
import { showAxes } from "../../ir/types.js";
import { extentOf, valueOf } from "../trace.js";
import { type BoundArgument, type CompileValue, type RecipeValue, errorValue } from "../values.js";
import { matchArguments } from "./arguments.js";
import { type Frame, lookup, originLabel, report } from "./frame.js";
import { type Expected, asTensor, expectKind, parameterKinds, wantsAxes } from "./kinds.js";
import { layerPath } from "./paths.js";

/** Layers inside layers inside layers …: more is a slip. */
const deepestNesting = 100;

const isAxesLiteral = (annotation: Parameter["annotation"]): annotation is AxesLiteral =>
  annotation !== null && "entries" in annotation;

export const isInput = (parameter: Parameter): boolean =>
  isAxesLiteral(parameter.annotation) && parameter.default === null;

export function expectedOf(parameter: Parameter): Expected {
  const { annotation } = parameter;
  if (annotation === null) return "any";
  if (isAxesLiteral(annotation)) return "tensor";
  return parameterKinds[annotation.name] ?? "any";
}

/** `Name(…)` where Name is a layer's declaration: applied when its inputs are there, a recipe otherwise. */
export function callLayer(
  layer: LayerDeclaration,
  call: CallExpression,
  frame: Frame,
): CompileValue {
  const names = layer.parameters.map(({ name }) => name.name);
  const inputs = layer.parameters.filter(isInput).map(({ name }) => name.name);
  const callee = layer.name.name;
  const first = inputs.length > 0 ? firstPositional(call, frame) : null;
  if (first?.kind === "error") return errorValue;
  // `Block(GLA(), MoE())` is a recipe: what comes first is no tensor, so inputs are left out.
  const applied = first?.kind === "tensor" || first?.kind === "state";
  const positional = applied ? names : names.filter((name) => !inputs.includes(name));
  const matched = matchArguments(callee, positional, names, call.arguments, call.span, frame);
  if (!matched) return errorValue;
  const bound = new Map<string, BoundArgument>();
  let failed = false; // the other arguments are looked at all the same
  for (const parameter of layer.parameters) {
    const given = matched.get(parameter.name.name);
    if (!given) continue;
    const expected = expectedOf(parameter);
    const isFirst =
      first !== null && given.expression === call.arguments[0]!.value && !wantsAxes(expected);
    const value = isFirst
      ? first
      : frame.environment.elaborator.evaluate(given.expression, frame, expected);
    const fits =
      value.kind === "none" ||
      expectKind(value, expected, `\`${parameter.name.name}\``, given.span, frame);
    if (fits) bound.set(parameter.name.name, { value, span: given.span });
    else failed = true;
  }
  if (failed) return errorValue;
  const recipe: RecipeValue = {
    kind: "recipe",
    layer,
    bound,
    name: null,
    span: call.span,
    shared: null,
  };
  const present = inputs.filter((name) => bound.has(name));
  if (inputs.length > 0 && present.length === 0) return recipe;
  const missing = inputs.find((name) => !bound.has(name));
  if (missing !== undefined)
    return report(frame, messages.missingInput({ callee, name: missing }), [
      { span: call.span, text: `\`${missing}\` is missing` },
      { span: layer.name.span, text: "declared here" },
    ]);
  return applyRecipe(recipe, [], frame, call.span);
}

/** The value of the first argument when it stands by position and could be an input; evaluated once. */
function firstPositional(call: CallExpression, frame: Frame): CompileValue | null {
  const argument = call.arguments[0];
  if (!argument || argument.name !== null || argument.value.kind === "axes") return null;
  return frame.environment.elaborator.evaluate(argument.value, frame);
}

/** Applies a recipe to values for the inputs it does not have yet, in order. */
export function applyRecipe(
  recipe: RecipeValue,
  inputs: readonly CompileValue[],
  frame: Frame,
  span: Span,
): CompileValue {
  const { layer } = recipe;
  if (layer === null) return inputs[0] ?? errorValue;
  const callee = layer.name.name;
  frame.environment.budget.apply();
  const circle = frame.stack.findIndex((entry) => entry.layer === layer && entry.call === span);
  if (circle >= 0 || frame.stack.length >= deepestNesting) {
    const path = [...frame.stack.map((entry) => entry.layer.name.name), callee]
      .slice(-6)
      .join(" → ");
    return report(frame, messages.endlessRecursion({ name: callee, path }), [
      { span, text: "applied here" },
    ]);
  }
  if (recipe.shared && recipe.shared.home !== frame.builder)
    return report(frame, messages.sharedInBlock({ name: recipe.name ?? callee }), [
      { span, text: "used in a block" },
      { span: recipe.span, text: "made outside of it" },
    ]);
  const bound = new Map(recipe.bound);
  const open = layer.parameters.filter((p) => isInput(p) && !bound.has(p.name.name));
  open.forEach((parameter, i) => {
    const value = inputs[i];
    if (value) bound.set(parameter.name.name, { value, span });
  });
  if (inputs.length > open.length)
    return report(frame, messages.tooManyArguments({ callee, count: open.length }), [
      { span, text: "too many inputs" },
    ]);
  const missing = open[inputs.length];
  if (missing)
    return report(frame, messages.missingInput({ callee, name: missing.name.name }), [
      { span, text: `\`${missing.name.name}\` is missing` },
    ]);
  const inner: Frame = {
    ...frame,
    names: new Map(),
    parent: null,
    path: layerPath(frame, recipe),
    root: layerPath(frame, recipe),
    stack: [...frame.stack, { layer, call: span, written: recipe.span }],
    parts: [],
    shared: recipe.shared
      ? { bank: recipe.shared, depth: layerPath(frame, recipe).length }
      : frame.shared,
  };
  if (frame.block) {
    inner.names.set("depth", { kind: "number", value: frame.block.depth });
    inner.names.set("depths", { kind: "number", value: frame.block.depths });
  }
  const { watch } = frame.environment;
  if (watch?.depth === inner.stack.length) watch.names = inner.names;
  if (!bindHeader(layer, bound, frame, inner, span)) return errorValue;
  const { result, extent } = extentOf(frame.builder, () =>
    frame.environment.elaborator.body(
      layer.body,
      inner,
      `the layer \`${callee}\``,
      layer.name.span,
    ),
  );
  frame.parts.push({
    kind: "application",
    layer,
    call: span,
    written: recipe.span,
    value: valueOf(result),
    steps: inner.parts,
    ...extent,
  });
  return result;
}

/** Binds inputs (with the sizes of their axes), arguments and defaults, in the order of the header. */
function bindHeader(
  layer: LayerDeclaration,
  bound: ReadonlyMap<string, BoundArgument>,
  outer: Frame,
  inner: Frame,
  span: Span,
): boolean {
  for (const parameter of layer.parameters) {
    const name = parameter.name.name;
    const given = bound.get(name);
    if (given) {
      const value = isAxesLiteral(parameter.annotation)
        ? bindInput(layer, parameter, given, outer, inner)
        : given.value;
      if (value.kind === "error") return false;
      inner.names.set(name, value);
    } else if (parameter.default) {
      const value = inner.environment.elaborator.evaluate(
        parameter.default,
        inner,
        expectedOf(parameter),
      );
      if (value.kind === "error") return false;
      inner.names.set(name, value);
    } else {
      report(outer, messages.missingArgument({ callee: layer.name.name, names: `\`${name}\`` }), [
        { span, text: `\`${name}\` is missing` },
        { span: parameter.span, text: "declared here" },
      ]);
      return false;
    }
  }
  return true;
}

/** An input against its header `x: [width]`: binds `width` where it is new, compares where it is known. */
function bindInput(
  layer: LayerDeclaration,
  parameter: Parameter,
  given: BoundArgument,
  outer: Frame,
  inner: Frame,
): CompileValue {
  const literal = parameter.annotation;
  if (!isAxesLiteral(literal)) return given.value;
  const id = asTensor(given.value, outer);
  if (id === null) return given.value;
  const own = [...inner.builder.type(id).axes];
  const expected = `[${literal.entries.map((entry) => (entry.spread ? ".." : "") + (entry.value.kind === "name" ? entry.value.name : "?")).join(", ")}]`;
  const mismatch = (): CompileValue =>
    report(
      outer,
      messages.inputMismatch({
        callee: layer.name.name,
        name: parameter.name.name,
        expected,
        found: showAxes(inner.builder.type(id).axes),
      }),
      [
        { span: given.span, text: showAxes(inner.builder.type(id).axes) },
        { span: parameter.span, text: "the header asks for this" },
        ...originLabel(outer, id).filter((label) => label.span.start !== given.span.start),
      ],
    );
  let spread: { name: string; axes: Axis[] } | null = null;
  for (const entry of literal.entries) {
    if (entry.value.kind !== "name") continue;
    const axisName = entry.value.name;
    if (entry.spread) {
      spread = { name: axisName, axes: [] };
      continue;
    }
    const known = lookup(inner, axisName);
    const at = own.findIndex(
      (axis) => axis.name === (known?.kind === "axis" ? known.name : axisName),
    );
    const axis = own[at];
    if (!axis) return mismatch();
    if (known?.kind === "number" && known.value !== axis.size) return mismatch();
    own.splice(at, 1);
    if (!known)
      inner.names.set(axisName, {
        kind: "number",
        value: axis.size,
        ...(axis.label === undefined ? {} : { label: axis.label }),
      });
  }
  if (spread) {
    inner.names.set(spread.name, { kind: "axes", axes: own });
    return { kind: "tensor", id };
  }
  return own.length === 0 ? { kind: "tensor", id } : mismatch();
}
