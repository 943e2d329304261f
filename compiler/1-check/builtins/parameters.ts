/** Trained values and how they start: `param`, and the random initialisers. */

import { messages } from "../../diagnostics/messages.generated.js";
import type { Initializer } from "../../ir/initializer.js";
import { fitsMemory } from "../elaborate/arithmetic.js";
import { toInitializer } from "../elaborate/initializers.js";
import { isInput } from "../elaborate/apply.js";
import { type Frame, report } from "../elaborate/frame.js";
import { asAxes, asAxisNames } from "../elaborate/kinds.js";
import { parameterPath } from "../elaborate/paths.js";
import { type CompileValue, errorValue, kindNames, tensorValue } from "../values.js";
import {
  type Builtin,
  type BuiltinCall,
  type GivenArgument,
  numberOf,
  parameters,
  truth,
} from "./builtin.js";

const param: Builtin = {
  usage: "param(axes, init, decay: false, trainable: true)",
  doc: "a parameter with these axes; `decay` subjects it to weight decay",
  parameters: parameters("axes axes", "init any", "decay boolean ?", "trainable boolean ?"),
  run: (call) => {
    const { frame, given } = call;
    const axes = asAxes(given.get("axes")!.value);
    const unknown = asAxisNames(given.get("axes")!.value).find(
      (name) => !axes.some((axis) => axis.name === name),
    );
    if (unknown !== undefined)
      return report(frame, messages.unknownAxis({ name: unknown }), [
        { span: given.get("axes")!.span, text: "no size" },
      ]);
    if (!fitsMemory(axes, given.get("axes")!.span, frame)) return errorValue;
    const init = named(given.get("init")!, frame);
    if (init.value.kind === "error") return errorValue;
    const initializer = toInitializer(init.value, frame);
    if (!initializer)
      return report(
        frame,
        messages.wrongKind({
          what: "`init`",
          expected: "a number or an initialiser",
          found: kindNames[init.value.kind],
        }),
        [{ span: init.span, text: `this is ${kindNames[init.value.kind]}` }],
      );
    const path = parameterPath(frame, frame.naming ?? "param");
    const shared = frame.shared;
    const key = path
      .split(".")
      .slice(shared?.depth ?? 0)
      .join(".");
    const existing = shared?.bank.parameters.get(key);
    if (existing !== undefined) return tensorValue(existing);
    const { builder } = frame;
    const type = { dtype: "float" as const, axes };
    const id = builder.parameter(
      path,
      type,
      initializer,
      truth(call, "trainable", true),
      truth(call, "decay", false),
    );
    shared?.bank.parameters.set(key, id);
    return tensorValue(id);
  },
};

/** An initialiser of the library by its bare name: `dt_bias` is `dt_bias()`. */
function named(init: GivenArgument, frame: Frame): GivenArgument {
  const { value, span } = init;
  if (value.kind !== "recipe" || value.layer === null || value.layer.parameters.some(isInput))
    return init;
  return { ...init, value: frame.environment.elaborator.apply(value, [], frame, span) };
}

const initializer = (value: Initializer): CompileValue => ({
  kind: "initializer",
  initializer: value,
});
const constant = (value: number): Initializer => ({ kind: "constant", value });
const affine = (x: Initializer, scale: number, shift: number): Initializer => ({
  kind: "map",
  fn: "add",
  inputs: [{ kind: "map", fn: "mul", inputs: [x, constant(scale)] }, constant(shift)],
});

function random(call: BuiltinCall, build: (a: number, b: number) => Initializer): CompileValue {
  const [first, second] = [...call.given.keys()];
  const a = numberOf(call, first!);
  const b = second === undefined ? 0 : numberOf(call, second);
  return a === null || b === null ? errorValue : initializer(build(a, b));
}

const normal: Builtin = {
  usage: "normal(deviation)",
  doc: "an initialiser: normal draws of mean 0",
  parameters: parameters("deviation number"),
  run: (call) => random(call, (deviation) => affine({ kind: "normal" }, deviation, 0)),
};

const uniform: Builtin = {
  usage: "uniform(low, high)",
  doc: "an initialiser: uniform draws from low up to high",
  parameters: parameters("low number", "high number"),
  run: (call) => random(call, (low, high) => affine({ kind: "uniform" }, high - low, low)),
};

export const parameterBuiltins = [
  ["param", param],
  ["normal", normal],
  ["uniform", uniform],
] as const;
