/**
 * The gradient of a recurrence in recurrent form: the same loop backwards.
 *
 * Its states are the cotangents of the forward states and the sums of the statics' cotangents; its step
 * is the vector-Jacobian product of the forward step, taken at the states the forward loop saw.
 */

import { GraphBuilder } from "../builder.js";
import type { ValueId } from "../graph.js";
import { withoutAxes } from "../types.js";
import { copyInto } from "../copy.js";
import { type Cotangent, type GradientRule, full } from "./rule.js";

export const scanGradient: GradientRule<"scan"> = (builder, node, cotangents, backpropagate) => {
  const { body, states, sequences, resets, axis, reverse, label } = node.attributes;
  const flags = resets ? 1 : 0;
  const initial = node.inputs.slice(0, states);
  const flag = resets ? node.inputs[states]! : null;
  const steps = node.inputs.slice(states + flags, states + flags + sequences);
  const statics = node.inputs.slice(states + flags + sequences);
  const outputs = body.outputs.length - states;
  const dOutputs = cotangents.slice(0, outputs);
  const dFinals = cotangents.slice(outputs, outputs + states);
  const dBefores = cotangents.slice(outputs + states);
  const befores = node.outputs.slice(outputs + states);

  const back = new GraphBuilder(`${label} gradient`);
  const sequenceInputs: ValueId[] = [];
  const stepType = (id: ValueId) => ({
    ...builder.type(id),
    axes: withoutAxes(builder.type(id).axes, [axis]),
  });
  const stateCotangents = initial.map((id, i) => back.input(`d${i}`, builder.type(id)));
  const sums = statics.map((id, i) => back.input(`sum${i}`, builder.type(id)));
  const perStep = (id: ValueId, name: string): ValueId => {
    sequenceInputs.push(id);
    return back.input(name, stepType(id));
  };
  const wholeOf = (d: Cotangent, output: ValueId): ValueId | null =>
    d === null ? null : builder.conform(d, builder.type(output).axes);
  const flagStep = flag === null ? null : perStep(flag, "reset");
  const stateValues = befores.map((id, i) => perStep(id, `s${i}`));
  const stepValues = steps.map((id, i) => perStep(id, `x${i}`));
  const dOutputSteps = dOutputs.map((d, i) => {
    const whole = wholeOf(d, node.outputs[i]!);
    return whole === null ? null : perStep(whole, `dy${i}`);
  });
  const dBeforeSteps = dBefores.map((d, i) => {
    const whole = wholeOf(d, befores[i]!);
    return whole === null ? null : perStep(whole, `db${i}`);
  });
  const staticValues = statics.map((id, i) => back.input(`w${i}`, builder.type(id)));

  // the forward step again, then its vector-Jacobian product
  const known = new Map<ValueId, ValueId>();
  body.inputs.forEach(({ value }, i) =>
    known.set(value, [...stateValues, ...stepValues, ...staticValues][i]!),
  );
  const from = back.nodes.length;
  copyInto(back, body, known);
  const seeds = new Map<ValueId, ValueId>();
  const seed = (value: ValueId, d: ValueId): void => {
    const existing = seeds.get(value);
    seeds.set(value, existing === undefined ? d : back.add(existing, d));
  };
  body.outputs.forEach(({ value }, i) => {
    const d = i < states ? stateCotangents[i]! : dOutputSteps[i - states]!;
    if (d !== null) seed(known.get(value)!, d);
  });
  backpropagate(back, back.nodes.slice(from), seeds);
  const zero = back.constant(0);
  const cotangentOf = (id: ValueId): ValueId => seeds.get(id) ?? zero;
  stateValues.forEach((id, i) => {
    const extra = dBeforeSteps[i] ?? null;
    const d = extra === null ? cotangentOf(id) : back.add(cotangentOf(id), extra);
    const passed = flagStep === null ? d : back.map("select", flagStep, zero, d);
    back.outputs.push({ name: `d${i}`, value: back.conform(passed, back.type(id).axes) });
  });
  sums.forEach((id, i) => {
    const d = back.conform(cotangentOf(staticValues[i]!), back.type(id).axes);
    back.outputs.push({ name: `sum${i}`, value: back.add(id, d) });
  });
  stepValues.forEach((id, i) =>
    back.outputs.push({ name: `dx${i}`, value: back.conform(cotangentOf(id), back.type(id).axes) }),
  );

  const start = [
    ...initial.map((id, i) => {
      const d = dFinals[i] ?? null;
      return d === null ? builder.zeros(builder.type(id).axes) : full(builder, d, builder.type(id));
    }),
    ...statics.map((id) => builder.zeros(builder.type(id).axes)),
  ];
  const attributes = {
    axis,
    body: back.finish(),
    states: start.length,
    sequences: sequenceInputs.length,
    resets: false,
    restart: start.map(() => 0),
    reverse: !reverse,
    label: `${label} gradient`,
    chunk: null,
  };
  const results = builder.ops("scan", attributes, [...start, ...sequenceInputs, ...statics]);
  const dSteps = results.slice(0, steps.length);
  const dInitial = results.slice(steps.length, steps.length + states);
  const dStatics = results.slice(steps.length + states, steps.length + start.length);
  return [...dInitial, ...(flag === null ? [] : [null]), ...dSteps, ...dStatics];
};
