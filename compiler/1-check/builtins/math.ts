/** Elementwise functions and `max`/`min`, which reduce when their second argument is an axis. */

import { type ScalarFunction, scalarFunctions } from "../../ir/scalar-functions.js";
import { applyScalar } from "../elaborate/arithmetic.js";
import { expectKind } from "../elaborate/kinds.js";
import { errorValue, tensorValue } from "../values.js";
import { type Builtin, axesOf, parameters, tensor } from "./builtin.js";

/** Functions written as calls; those with a sign of their own (`+`, `<`, …) are left out. */
const called: readonly ScalarFunction[] = [
  "exp",
  "expm1",
  "log",
  "log1p",
  "sigmoid",
  "softplus",
  "tanh",
  "sqrt",
  "rsqrt",
  "square",
  "reciprocal",
  "abs",
  "sign",
  "floor",
  "sin",
  "cos",
  "stop",
  "mod",
  "select",
];

function elementwise(fn: ScalarFunction): Builtin {
  const { arity, doc } = scalarFunctions[fn];
  const names = arity === 1 ? ["x"] : arity === 2 ? ["a", "b"] : ["c", "a", "b"];
  return {
    usage: `${fn}(${names.join(", ")})`,
    doc,
    parameters: parameters(...names.map((name) => `${name} any`)),
    run: ({ given, frame, call }) =>
      applyScalar(fn, [...given.values()], `\`${fn}\``, call.span, frame),
  };
}

/** `max(a, b)` elementwise, `max(x, axis)` along axes. */
function extreme(name: "max" | "min", fn: ScalarFunction): Builtin {
  return {
    usage: `${name}(a, b) or ${name}(x, over: axis)`,
    doc: `elementwise ${name}imum of two, or the ${name}imum along an axis`,
    parameters: parameters("a any", "b any ?", "over axes ?"),
    run: (call) => {
      const { given, frame } = call;
      const b = given.get("b");
      if (b) return applyScalar(fn, [given.get("a")!, b], `\`${name}\``, call.call.span, frame);
      if (!expectKind(given.get("a")!.value, "tensor", "`a`", given.get("a")!.span, frame))
        return errorValue;
      const x = tensor(call, "a");
      const over = given.has("over")
        ? axesOf(call, "over", "a")
        : frame.builder.type(x).axes.map((axis) => axis.name);
      if (!over) return errorValue;
      const { builder } = frame;
      const result =
        name === "max" ? builder.max(x, over) : builder.neg(builder.max(builder.neg(x), over));
      return tensorValue(result);
    },
  };
}

export const mathBuiltins: readonly (readonly [string, Builtin])[] = [
  ...called.map((fn) => [fn, elementwise(fn)] as const),
  ["max", extreme("max", "maximum")],
  ["min", extreme("min", "minimum")],
];
