/** Phase 1: a program's text to checked models and blocks, with every mistake of the program. */

import type { BlockDeclaration } from "../../grammar/ast.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { Reporter } from "../diagnostics/report.js";
import type { Host } from "../host.js";
import { type Blocks, checkBlocks } from "./blocks/blocks.js";
import { collect } from "./declarations.js";
import { Budget } from "./elaborate/budget.js";
import { checkLayer } from "./generic.js";
import { type Model, instantiate } from "./model.js";
import { checkStates } from "./unstepped.js";

export interface Checked extends Blocks {
  readonly path: string;
  readonly text: string;
  readonly models: ReadonlyMap<string, Model>; // those without mistakes
  readonly ownModels: ReadonlySet<string>; // declared in this file, not in one that it uses
  readonly blocks: readonly BlockDeclaration[];
  readonly sources: ReadonlyMap<string, string>;
  readonly diagnostics: readonly Diagnostic[];
}

export function check(host: Host, path: string): Checked {
  const text = host.readText(path);
  const reporter = new Reporter();
  const declarations = collect(host, path, text, reporter);
  const models = new Map<string, Model>();
  const budget = new Budget();
  for (const [name, declaration] of declarations.models) {
    const model = instantiate(declaration, declarations, reporter, budget);
    if (model) models.set(name, model);
  }
  for (const layer of declarations.ownLayers) {
    checkLayer(layer, declarations, reporter, budget);
    if (!declarations.damaged.has(layer)) checkStates(layer, reporter);
  }
  const { blocks, sources, ownModels } = declarations;
  const checked = checkBlocks(declarations, models, reporter);
  const { diagnostics } = reporter;
  return { path, text, models, ownModels, blocks, ...checked, sources, diagnostics };
}
