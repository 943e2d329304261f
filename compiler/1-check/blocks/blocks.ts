/** Checks the `data`, `train`, `parallel` and `convert` blocks of a program. */

import type { BlockDeclaration } from "../../../grammar/ast.js";
import type { Reporter } from "../../diagnostics/report.js";
import type { Declarations } from "../declarations.js";
import type { Model } from "../model.js";
import { type Data, checkData } from "./data.js";
import type { Conversion } from "./conversion.js";
import { checkConvert } from "./convert.js";
import type { Mesh } from "./mesh.js";
import { checkParallel } from "./parallel.js";
import type { Scope } from "./schema.js";
import { checkTrain } from "./train.js";
import type { Training } from "./training.js";

/** What the blocks come to, by their names; those with mistakes are left out. */
export interface Blocks {
  readonly data: ReadonlyMap<string, Data>;
  readonly trainings: ReadonlyMap<string, Training>;
  readonly meshes: ReadonlyMap<string, Mesh>;
  readonly conversions: ReadonlyMap<string, Conversion>;
}

export function checkBlocks(
  declarations: Declarations,
  models: ReadonlyMap<string, Model>,
  reporter: Reporter,
): Blocks {
  const each = <T>(
    kind: BlockDeclaration["kind"],
    check: (block: BlockDeclaration, scope: Scope) => T | null,
  ) => {
    const made = new Map<string, T>();
    for (const block of declarations.blocks) {
      if (block.kind !== kind) continue;
      const value = check(block, { reporter, declarations, places: new Map() });
      if (value !== null) made.set(block.name.name, value);
    }
    return made;
  };
  const data = each("data", checkData);
  const trainings = each("train", (block, scope) => checkTrain(block, { data, models }, scope));
  const trained = [...trainings.values()];
  const named = trained.flatMap(({ model }) => models.get(model) ?? []);
  const concerned = trained.length > 0 ? [...new Set(named)] : [...models.values()];
  const meshes = each("parallel", (block, scope) =>
    checkParallel(block, concerned, trained, scope),
  );
  const conversions = each("convert", checkConvert);
  return { data, trainings, meshes, conversions };
}
