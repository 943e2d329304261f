/** Calls: of a name that holds a layer, of a declared layer, of a built-in function. */

import type { CallExpression } from "../../../grammar/ast.js";
import { builtins } from "../builtins/index.js";
import type { BuiltinCall, GivenArgument } from "../builtins/builtin.js";
import { messages } from "../../diagnostics/messages.generated.js";
import { instead, suggest } from "../../diagnostics/suggest.js";
import { type CompileValue, type RecipeValue, errorValue, kindNames } from "../values.js";
import { applyRecipe, callLayer, expectedOf } from "./apply.js";
import { matchArguments } from "./arguments.js";
import { type Frame, lookup, report, visibleNames } from "./frame.js";
import { expectKind } from "./kinds.js";

export function evaluateCall(call: CallExpression, frame: Frame): CompileValue {
  const { name, span } = call.callee;
  const value = lookup(frame, name);
  if (value?.kind === "error") return value;
  if (value?.kind === "recipe") return callRecipe({ ...value, name }, call, frame);
  if (value) {
    const found = kindNames[value.kind];
    const shadowed = builtins.has(name) || frame.environment.declarations.layers.has(name);
    if (!shadowed)
      return report(
        frame,
        messages.wrongKind({ what: `\`${name}\``, expected: "a layer", found }),
        [{ span, text: `this is ${found}` }],
      );
  }
  const layer = frame.environment.declarations.layers.get(name);
  if (layer) return callLayer(layer, call, frame);
  if (builtins.has(name)) return callBuiltin(name, call, frame);
  const known = [
    ...builtins.keys(),
    ...frame.environment.declarations.layers.keys(),
    ...visibleNames(frame),
  ];
  const near = suggest(name, known);
  return report(
    frame,
    messages.unknownLayer({ name }),
    [{ span, text: "not known" }],
    near ? instead(near, span) : undefined,
  );
}

/** `mixer(h)`: the recipe's open inputs in order, and any argument by name. */
function callRecipe(recipe: RecipeValue, call: CallExpression, frame: Frame): CompileValue {
  const { elaborator } = frame.environment;
  const inputs: CompileValue[] = [];
  const bound = new Map(recipe.bound);
  for (const argument of call.arguments) {
    const parameter =
      argument.name && recipe.layer?.parameters.find((p) => p.name.name === argument.name!.name);
    if (argument.name && !parameter && recipe.layer)
      return report(
        frame,
        messages.unknownArgument({ callee: recipe.layer.name.name, name: argument.name.name }),
        [{ span: argument.name.span, text: "unknown" }],
      );
    const expected = parameter ? expectedOf(parameter) : "tensor";
    const value = elaborator.evaluate(argument.value, frame, expected);
    if (
      value.kind === "error" ||
      !expectKind(value, expected, "the argument", argument.span, frame)
    )
      return errorValue;
    if (parameter) bound.set(parameter.name.name, { value, span: argument.span });
    else inputs.push(value);
  }
  if (inputs.length === 0 && bound.size > recipe.bound.size) return { ...recipe, bound };
  // A layer held by a name of this layer stands under that name, whatever statement it is used in.
  return applyRecipe({ ...recipe, bound }, inputs, { ...frame, path: frame.root }, call.span);
}

function callBuiltin(name: string, call: CallExpression, frame: Frame): CompileValue {
  const builtin = builtins.get(name)!;
  const names = builtin.parameters.map((parameter) => parameter.name);
  const matched = matchArguments(name, names, names, call.arguments, call.span, frame);
  if (!matched) return errorValue;
  const given = new Map<string, GivenArgument>();
  for (const parameter of builtin.parameters) {
    const argument = matched.get(parameter.name);
    if (!argument) {
      if (parameter.optional) continue;
      return report(
        frame,
        messages.missingArgument({ callee: name, names: `\`${parameter.name}\`` }),
        [{ span: call.span, text: `\`${parameter.name}\` is missing` }],
        `\`${builtin.usage}\`: ${builtin.doc}`,
      );
    }
    const value = frame.environment.elaborator.evaluate(
      argument.expression,
      frame,
      parameter.expected,
    );
    if (!expectKind(value, parameter.expected, `\`${parameter.name}\``, argument.span, frame))
      return errorValue;
    given.set(parameter.name, { value, span: argument.span, expression: argument.expression });
  }
  const site: BuiltinCall = { name, frame, call, given };
  frame.builder.span = call.span;
  return builtin.run(site);
}
