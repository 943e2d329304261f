/**
 * Which name stands for what, within one declaration and by its text alone. What a name outside of it stands
 * for is left to `resolve.ts`, so that the names of a declaration that nobody edits need not be looked at again.
 */

import type { BlockDeclaration, Identifier, Item, Parameter, Span } from "../../../grammar/ast.js";
import { Binder } from "./binder.js";
import { bindSettings } from "./settings.js";

export type LocalKind =
  "input" | "parameter" | "size" | "value" | "state" | "route" | "choice" | "axis";

/** A name that a declaration gives to something of its own. */
export interface Local {
  readonly kind: LocalKind;
  readonly name: string;
  /** Where it gets its name first. */
  readonly span: Span;
  /** The parameter of which it is the name, or in whose header it stands. */
  readonly parameter: Parameter | null;
  /** The layer of which it is a recipe, by its name: `L = GLA(heads: 4)`. */
  readonly recipe: string | null;
}

export type Target =
  | { readonly kind: "local"; readonly local: Local }
  /** A layer, a built-in function, or a block of the program. */
  | { readonly kind: "global"; readonly name: string }
  /** `heads` in `GLA(heads: 4)`. */
  | { readonly kind: "argument"; readonly callee: string; readonly name: string }
  /** A key of a block, of its choice's options, or a choice: by the path in the block's tables. */
  | {
      readonly kind: "setting";
      readonly block: BlockDeclaration["kind"];
      readonly path: readonly string[];
    }
  /** A word of the language where a name could be: `true`, `depth`, `prev` of `S.prev`. */
  | { readonly kind: "word"; readonly name: string };

export interface Occurrence {
  readonly name: string;
  readonly span: Span;
  readonly target: Target;
  /** Whether it gets its meaning here. */
  readonly defines: boolean;
}

const known = new WeakMap<Item, readonly Occurrence[]>();

/** All names of a declaration, in the order of their places. */
export function occurrencesIn(item: Item): readonly Occurrence[] {
  let found = known.get(item);
  if (!found) known.set(item, (found = bind(item)));
  return found;
}

function bind(item: Item): Occurrence[] {
  if (item.kind === "error" || item.kind === "use") return [];
  const found =
    item.kind === "layer" || item.kind === "model" ? new Binder().bind(item) : bindSettings(item);
  return [declared(item.name), ...found].sort((a, b) => a.span.start - b.span.start);
}

const declared = ({ name, span }: Identifier): Occurrence => ({
  name,
  span,
  target: { kind: "global", name },
  defines: true,
});
