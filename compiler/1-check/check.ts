/** Phase 1: a program's text to checked models and blocks, with every mistake of the program. */

import type { BlockDeclaration } from "../../grammar/ast.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { Reporter, byPlace } from "../diagnostics/report.js";
import type { Host } from "../host.js";
import { type Blocks, checkBlocks } from "./blocks/blocks.js";
import { type Declarations, collect } from "./declarations.js";
import { Budget } from "./elaborate/budget.js";
import { checkLayer } from "./generic.js";
import type { Memory } from "./memory.js";
import { type Model, instantiate } from "./model.js";
import { checkStates } from "./unstepped.js";

export interface Checked extends Blocks {
  readonly path: string;
  readonly text: string;
  readonly models: ReadonlyMap<string, Model>; // those without mistakes
  readonly ownModels: ReadonlySet<string>; // declared in this file, not in one that it uses
  readonly blocks: readonly BlockDeclaration[];
  readonly sources: ReadonlyMap<string, string>;
  readonly declarations: Declarations;
  readonly diagnostics: readonly Diagnostic[];
}

/** With a memory, what has not changed since the last check is not looked at again. */
export function check(host: Host, path: string, memory: Memory | null = null): Checked {
  const text = host.readText(path);
  const reporter = new Reporter();
  const declarations = collect(host, path, text, reporter, memory);
  const models = new Map<string, Model>();
  const budget = new Budget();
  const elaborate = memory?.elaborate.bind(memory) ?? elaborateAnew;
  for (const [name, declaration] of declarations.models) {
    const model = elaborate(declaration, declarations, reporter, budget, (all, to, watch) =>
      instantiate(declaration, all, to, budget, watch),
    );
    if (model) models.set(name, model);
  }
  for (const layer of declarations.ownLayers)
    elaborate(layer, declarations, reporter, budget, (all, to, watch) => {
      checkLayer(layer, all, to, budget, watch);
      if (!declarations.damaged.has(layer)) checkStates(layer, to);
    });
  const { blocks, sources, ownModels } = declarations;
  const checked = checkBlocks(declarations, models, reporter);
  const diagnostics = memory
    ? reporter.diagnostics.map((diagnostic) => memory.placed(diagnostic)).sort(byPlace)
    : reporter.diagnostics;
  return {
    path,
    text,
    models,
    ownModels,
    blocks,
    ...checked,
    sources,
    declarations,
    diagnostics,
  };
}

const elaborateAnew: Memory["elaborate"] = (_, declarations, reporter, __, run) =>
  run(declarations, reporter, null);
