/** The axes of a mesh and their sizes. */

import { messages } from "../../../diagnostics/messages.generated.js";
import { listed } from "../prose.js";
import { readSettings } from "../read.js";
import type { Reader } from "../schema.js";
import { type MeshAxes, meshTable } from "../tables/mesh.js";
import { settingsOf } from "./options.js";
import { wrongKind } from "./wrong.js";

/** `{ pp: 1, tp: 2 }`; an axis that is left out has size 1. */
export const meshAxes: Reader<MeshAxes> = {
  takes: "axes with sizes in braces",
  shown: "{ dp_shard: 8 }",
  choices: Object.entries(meshTable).map(([word, { doc }]) => ({ word, doc, options: null })),
  read: (value, site) => {
    if (value.kind !== "pairs" || value.entries.some(({ name }) => name === null))
      return wrongKind(value, meshAxes.takes, site);
    const owner = {
      path: `${site.path}.`,
      span: value.span,
      separator: ":" as const,
      unknown: (name: string) => messages.unknownChoice({ key: "an axis of a mesh", value: name }),
      duplicate: (name: string) => messages.duplicateArgument({ name }),
      missing: (keys: readonly string[]) =>
        messages.missingArgument({ callee: "the mesh", names: listed(keys) }),
      damaged: false,
    };
    return (
      readSettings(meshTable, settingsOf(value.entries, Object.keys(meshTable)), owner, site.scope)
        .values ?? undefined
    );
  },
};
