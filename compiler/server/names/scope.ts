/** The names that can be used at a place of a layer or a model. */

import type { Item } from "../../../grammar/ast.js";
import { type Local, occurrencesIn } from "./bind.js";
import { type Syntax, nodesAt } from "./syntax.js";

const bracing: ReadonlySet<string | undefined> = new Set(["mix", "if"]);

/** Later names first; of equal names only the innermost. */
export function visibleAt(item: Item, offset: number): Local[] {
  const around = new Set<Syntax>(nodesAt(item, offset));
  const visible = new Map<string, Local>();
  for (const { target, defines, span } of occurrencesIn(item)) {
    if (!defines || target.kind !== "local" || span.end >= offset) continue;
    const { local } = target;
    const braces = nodesAt(item, span.start).find((node) => bracing.has(node.kind));
    if (braces && !around.has(braces)) continue;
    visible.delete(local.name);
    visible.set(local.name, local);
  }
  return [...visible.values()].reverse();
}
