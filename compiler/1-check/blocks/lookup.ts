/** Where another block of the program says something. */

import type { BlockDeclaration, Span } from "../../../grammar/ast.js";
import type { Declarations } from "../declarations.js";

/** The place of a setting's value in the named block; null when it is left out. */
export function settingSpan(
  { blocks }: Declarations,
  kind: BlockDeclaration["kind"],
  name: string,
  key: string,
): Span | null {
  const block = blocks.find((each) => each.kind === kind && each.name.name === name);
  const setting = block?.settings.find((each) => each.key.name === key);
  return setting?.value?.span ?? setting?.span ?? null;
}
