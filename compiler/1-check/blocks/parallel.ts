/** `parallel` blocks: devices, the mesh they form, and what is placed over its axes. */

import type { BlockDeclaration } from "../../../grammar/ast.js";
import type { Model } from "../model.js";
import { exclude } from "./exclusive.js";
import { readHeader } from "./header.js";
import type { Mesh } from "./mesh.js";
import { meshFits } from "./mesh-fit.js";
import { placements, placementsFit, productFits } from "./mesh-rules.js";
import { readBlock } from "./owner.js";
import type { Scope, Values } from "./schema.js";
import { parallelTable } from "./tables/parallel.js";
import type { Training } from "./training.js";

const placed = placements.map(([, key]) => key);

/** Null when anything in the block is wrong, or when a model does not fit the mesh (reported). */
export function checkParallel(
  block: BlockDeclaration,
  models: readonly Model[],
  trainings: readonly Training[],
  scope: Scope,
): Mesh | null {
  const on = readHeader(block, scope);
  const { values, partial } = readBlock(parallelTable, block, scope);
  const { mesh } = partial;
  const searched = scope.places.has("search");
  const fits = [
    exclude("search", placed, scope),
    searched || !mesh || placementsFit(mesh, partial, scope),
    !mesh || !on || productFits(mesh, on.devices, scope),
    !mesh || meshFits(mesh, models, trainings, scope),
  ];
  if (on === null || values === null || !fits.every(Boolean)) return null;
  return { name: block.name.name, doc: block.doc, ...on, plan: planOf(values) };
}

function planOf(values: Values<typeof parallelTable>): Mesh["plan"] {
  const { mesh, search, recompute, sequence, experts, heads, blocks } = values;
  if (search !== null) return { kind: "search", goal: search, recompute };
  return {
    kind: "written",
    axes: mesh!,
    sequence: sequence?.by ?? null,
    experts: experts !== null,
    heads: heads !== null,
    pipeline: blocks?.schedule ?? null,
    recompute: recompute ?? "none",
  };
}
