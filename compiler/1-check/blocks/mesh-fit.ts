/** Whether models and trainings can be shared out over a mesh: heads, experts, blocks, tokens, sequences. */

import type { Span } from "../../../grammar/ast.js";
import type { Label, Message } from "../../diagnostics/diagnostic.js";
import { messages } from "../../diagnostics/messages.generated.js";
import type { Model } from "../model.js";
import { settingSpan } from "./lookup.js";
import { type Counted, expertsOf, headsOf } from "./model-parts.js";
import type { Scope } from "./schema.js";
import { unevenShare } from "./shares.js";
import type { MeshAxes, MeshAxis } from "./tables/mesh.js";
import type { Training } from "./training.js";

const mostLabels = 4; // a stack of many kinds of block needs no label for each

export function meshFits(
  mesh: MeshAxes,
  models: readonly Model[],
  trainings: readonly Training[],
  scope: Scope,
): boolean {
  /** Reports at the axis' size, and at what does not fit it. */
  const fail = (axis: MeshAxis, message: Message, labels: readonly Label[]): false => {
    const span = scope.places.get(`mesh.${axis}`)!;
    scope.reporter.report(message, [{ span, text: `over \`${axis}\`` }, ...labels]);
    return false;
  };
  const atModel = ({ name }: Model): Label[] =>
    at(scope.declarations.models.get(name)?.name.span, "this model");

  /** Every model has some, and all layers' numbers can be dealt out evenly. */
  function partsFit(axis: MeshAxis, things: string, partsOf: (model: Model) => Counted[]): boolean {
    if (mesh[axis] === 1) return true;
    const without = models.filter((model) => partsOf(model).length === 0);
    for (const model of without)
      fail(axis, messages.nothingToPlace({ model: model.name, things, axis }), atModel(model));
    const uneven = models.flatMap(partsOf).filter((part) => part.axis.size % mesh[axis] !== 0);
    const first = uneven[0];
    if (!first) return without.length === 0;
    const sizes = uneven.map((part) => part.axis.size);
    const what = `\`${first.axis.name}\` of ${first.layer}`;
    return fail(
      axis,
      unevenShare(sizes, what, mesh[axis], `devices of \`${axis}\``),
      labelsOf(uneven),
    );
  }

  function stagesFit(model: Model): boolean {
    const { functions, main } = model.module;
    const blocks = functions.get(main)!.nodes.filter(({ op }) => op === "call").length;
    if (mesh.pp === 1 || blocks >= mesh.pp) return true; // one stage takes what is there, a stack or none
    const message = messages.tooFewBlocks({ model: model.name, blocks, stages: mesh.pp });
    return fail("pp", message, atModel(model));
  }

  /** A program may train in several ways, a small trial among them: one that fits is enough. */
  function someFits(
    partsOf: (training: Training) => number,
    report: (training: Training) => false,
    parts: number,
  ): boolean {
    const first = trainings[0];
    return !first || trainings.some((each) => partsOf(each) % parts === 0) || report(first);
  }

  const tokensFit = (): boolean =>
    someFits(
      ({ time }) => time,
      ({ data: { name }, time }) => {
        const message = unevenShare([time], "tokens of a sequence", mesh.cp, "devices of `cp`");
        const place = settingSpan(scope.declarations, "data", name, "seq");
        return fail("cp", message, at(place, `${time} tokens`));
      },
      mesh.cp,
    );

  /** Sequences go to the replicas, to the shards of the weights, and to the devices that share the experts. */
  function sequencesFit(): boolean {
    const axes = (["dp_replicate", "dp_shard", "ep"] as const).filter((axis) => mesh[axis] > 1);
    const shares = axes.reduce((all, axis) => all * mesh[axis], 1);
    return someFits(
      ({ batch, accumulate }) => batch / accumulate,
      ({ name, batch, accumulate }) => {
        const parts = accumulate === 1 ? "" : "a part of ";
        const part = `devices of ${axes.map((axis) => `\`${axis}\``).join(" · ")}`;
        const message = unevenShare(
          [batch / accumulate],
          `sequences of ${parts}a batch`,
          shares,
          part,
        );
        const place = settingSpan(scope.declarations, "train", name, "batch");
        return fail(axes[0]!, message, at(place, `${batch} sequences`));
      },
      shares,
    );
  }

  return [
    partsFit("tp", "heads", headsOf),
    partsFit("ep", "experts", expertsOf),
    ...models.map(stagesFit),
    tokensFit(),
    sequencesFit(),
  ].every(Boolean);
}

/** One label a place: blocks of one kind share theirs. */
function labelsOf(parts: readonly Counted[]): Label[] {
  const labels = new Map<string, Label>();
  for (const { axis, layer, span } of parts)
    for (const label of at(span, `\`${axis.name}\` is ${axis.size} in ${layer}`))
      if (!labels.has(keyOf(label))) labels.set(keyOf(label), label);
  return [...labels.values()].slice(0, mostLabels);
}

const keyOf = ({ span }: Label): string => `${span.source}:${span.start}`;

const at = (span: Span | null | undefined, text: string): Label[] => (span ? [{ span, text }] : []);
