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
    if (blocks >= mesh.pp) return true;
    const message = messages.tooFewBlocks({ model: model.name, blocks, stages: mesh.pp });
    return fail("pp", message, atModel(model));
  }

  function tokensFit({ data: { name, seq } }: Training): boolean {
    if (seq % mesh.cp === 0) return true;
    const message = unevenShare([seq], "tokens of a sequence", mesh.cp, "devices of `cp`");
    return fail(
      "cp",
      message,
      at(settingSpan(scope.declarations, "data", name, "seq"), `${seq} tokens`),
    );
  }

  /** Sequences go to the replicas, to the shards of the weights, and to the devices that share the experts. */
  function sequencesFit({ name, batch, accumulate }: Training): boolean {
    const shares = mesh.dp_replicate * mesh.dp_shard * mesh.ep;
    const sequences = batch / accumulate;
    if (sequences % shares === 0) return true;
    const axes = (["dp_replicate", "dp_shard", "ep"] as const).filter((axis) => mesh[axis] > 1);
    const what =
      accumulate === 1
        ? "sequences of a batch"
        : `sequences of each of ${accumulate} parts of a batch`;
    const part = `devices of ${axes.map((axis) => `\`${axis}\``).join(" · ")}`;
    const place = settingSpan(scope.declarations, "train", name, "batch");
    return fail(
      axes[0]!,
      unevenShare([sequences], what, shares, part),
      at(place, `${batch} sequences`),
    );
  }

  return [
    partsFit("tp", "heads", headsOf),
    partsFit("ep", "experts", expertsOf),
    ...models.map(stagesFit),
    ...trainings.map(tokensFit),
    ...trainings.map(sequencesFit),
  ].every(Boolean);
}

/** One label a place: blocks of one kind share theirs. */
function labelsOf(parts: readonly Counted[]): Label[] {
  const labels = new Map<string, Label>();
  for (const { axis, layer, span } of parts)
    for (const label of at(span, `\`${axis.name}\` is ${axis.size} in ${layer}`))
      labels.set(`${label.span.source}:${label.span.start}`, label);
  return [...labels.values()].slice(0, mostLabels);
}

const at = (span: Span | null | undefined, text: string): Label[] => (span ? [{ span, text }] : []);
