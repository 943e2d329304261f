/**
 * `top_k(scores, k, …)`: which experts (or memories) a token goes to, with what weights, and the losses
 * that keep the choice balanced.
 *
 *   balance loss  (Fedus et al., 2021)   E · Σₑ fₑ Pₑ,  fₑ the share of picks, Pₑ the mean score
 *   z loss        (Zoph et al., 2022)    mean (logsumexp logits)²
 *   bias          (Wang et al., 2024)    a buffer added to the scores for the choice alone, moved by
 *                                        `bias` · sign(mean load − load) after each step
 *
 * Every route reports the metric `load` [experts]: the share of all picks that went to each.
 */

import { messages } from "../../diagnostics/messages.generated.js";
import type { GraphBuilder } from "../../ir/builder.js";
import type { ValueId } from "../../ir/graph.js";
import type { Axis } from "../../ir/types.js";
import { showAxes } from "../../ir/types.js";
import { type Frame, report } from "../elaborate/frame.js";
import { parameterPath } from "../elaborate/paths.js";
import type { CompileValue } from "../values.js";
import { type Builtin, numberOf, parameters, tensor, truth } from "./builtin.js";

export const topK: Builtin = {
  usage: "top_k(scores, k, normalise: false, balance: 0, z: 0, bias: 0, scale: 1)",
  doc: "routes a token to its k best-scored experts; `normalise` makes their weights sum to 1",
  parameters: parameters(
    "scores tensor",
    "k number",
    "normalise boolean ?",
    "balance number ?",
    "z number ?",
    "bias number ?",
    "scale number ?",
  ),
  run: (call): CompileValue => {
    const { frame, given } = call;
    const { builder } = frame;
    const scores = tensor(call, "scores");
    const { axes } = builder.type(scores);
    const k = numberOf(call, "k")!;
    const place = given.get("scores")!;
    if (axes.length !== 1)
      return report(
        frame,
        messages.badRoute({ problem: `the scores are ${showAxes(axes)}, not one axis` }),
        [{ span: place.span, text: "scores" }],
      );
    const experts = axes[0]!;
    if (!Number.isSafeInteger(k) || k < 1 || k > experts.size)
      return report(
        frame,
        messages.badRoute({
          problem: `k is ${k}, and there are ${experts.size} \`${experts.name}\``,
        }),
        [
          { span: given.get("k")!.span, text: "picks per token" },
          { span: place.span, text: showAxes(axes) },
        ],
      );
    if (builder.region !== null)
      return report(frame, messages.nestedMix(), [
        { span: call.call.span, text: "a route inside a mix" },
      ]);
    const rate = numberOf(call, "bias") ?? 0;
    const bias = rate > 0 ? balanceBias(frame, experts) : null;
    const choices = builder.op("top_k", { axis: experts.name, into: { name: "choice", size: k } }, [
      bias === null ? scores : builder.add(builder.map("stop", scores), bias.value),
    ]);
    let weights = builder.op("take", { axis: experts.name }, [scores, choices]);
    if (truth(call, "normalise", false))
      weights = builder.div(weights, builder.sum(weights, ["choice"]));
    weights = builder.mul(weights, builder.constant(numberOf(call, "scale") ?? 1));
    const load = meanLoad(builder, choices, experts);
    builder.metric(parameterPath(frame, "load"), builder.div(load, builder.constant(k)));
    const balance = numberOf(call, "balance") ?? 0;
    if (balance > 0)
      penalise(builder, "balance", balanceLoss(builder, scores, load, experts), balance);
    const z = numberOf(call, "z") ?? 0;
    if (z > 0) {
      const logits = logitsOf(builder, scores);
      if (logits === null)
        return report(
          frame,
          messages.badRoute({ problem: "the z loss needs scores made by softmax or sigmoid" }),
          [{ span: place.span, text: "other scores" }],
        );
      penalise(builder, "z", zLoss(builder, logits, experts), z);
    }
    if (bias !== null) {
      // load against its mean k / E: too busy goes down, too idle goes up
      const difference = builder.sub(builder.constant(k / experts.size), load);
      const step = builder.mul(builder.constant(rate), builder.map("sign", difference));
      builder.update(bias.path, builder.add(bias.value, step));
    }
    return { kind: "route", weights, choices, experts };
  },
};

function balanceBias(frame: Frame, experts: Axis): { path: string; value: ValueId } {
  const path = parameterPath(frame, "balance_bias");
  const type = { dtype: "float" as const, axes: [experts] };
  return {
    path,
    value: frame.builder.parameter(path, type, { kind: "constant", value: 0 }, false, false),
  };
}

/** [experts]: the share of all tokens that were sent to each; they sum to k. */
function meanLoad(builder: GraphBuilder, choices: ValueId, experts: Axis): ValueId {
  const picked = builder.sum(builder.map("eq", choices, builder.iota(experts)), ["choice"]);
  return builder.op("token_mean", {}, [builder.map("stop", picked)]);
}

function balanceLoss(
  builder: GraphBuilder,
  scores: ValueId,
  load: ValueId,
  experts: Axis,
): ValueId {
  const score = builder.op("token_mean", {}, [scores]);
  return builder.mul(
    builder.constant(experts.size),
    builder.sum(builder.mul(load, score), [experts.name]),
  );
}

function zLoss(builder: GraphBuilder, logits: ValueId, experts: Axis): ValueId {
  const top = builder.map("stop", builder.max(logits, [experts.name]));
  const total = builder.sum(builder.exp(builder.sub(logits, top)), [experts.name]);
  const logsumexp = builder.add(builder.map("log", total), top);
  return builder.op("token_mean", {}, [builder.map("square", logsumexp)]);
}

function penalise(builder: GraphBuilder, name: string, loss: ValueId, weight: number): void {
  builder.penalty(name, builder.mul(builder.constant(weight), loss));
}

/** Looks through a softmax (exp(x − max x) / Σ) or a sigmoid to what went in. */
function logitsOf(builder: GraphBuilder, scores: ValueId): ValueId | null {
  const maker = (id: ValueId) => builder.producer(id);
  const last = maker(scores);
  if (last?.op !== "map") return null;
  if (last.attributes.fn === "sigmoid") return last.inputs[0]!;
  if (last.attributes.fn !== "div") return null;
  const exp = maker(last.inputs[0]!);
  const difference =
    exp?.op === "map" && exp.attributes.fn === "exp" ? maker(exp.inputs[0]!) : undefined;
  return difference?.op === "map" && difference.attributes.fn === "sub"
    ? difference.inputs[0]!
    : null;
}

export const routeBuiltins = [["top_k", topK]] as const;
