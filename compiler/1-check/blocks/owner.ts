/** Reads a whole block against its table. */

import type { BlockDeclaration } from "../../../grammar/ast.js";
import { messages } from "../../diagnostics/messages.generated.js";
import { listed } from "./prose.js";
import { type Reading, readSettings } from "./read.js";
import type { Scope, Table } from "./schema.js";

export function readBlock<T extends Table>(
  table: T,
  block: BlockDeclaration,
  scope: Scope,
): Reading<T> {
  const { kind, name } = block;
  const owner = {
    path: "",
    span: name.span,
    separator: "" as const,
    unknown: (key: string) => messages.unknownSetting({ kind, key }),
    duplicate: (key: string) => messages.duplicateSetting({ key }),
    missing: (keys: readonly string[]) =>
      messages.missingSetting({ kind, name: name.name, keys: listed(keys) }),
    damaged: scope.declarations.damaged.has(block),
  };
  return readSettings(table, block.settings, owner, scope);
}
