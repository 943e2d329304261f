/** `convert` blocks: a pretrained model, the layers to replace in it, and what is then trained. */

import type { BlockDeclaration, LayerDeclaration } from "../../../grammar/ast.js";
import { messages } from "../../diagnostics/messages.generated.js";
import { instead, suggest } from "../../diagnostics/suggest.js";
import type { Conversion, Replacement, Tuning } from "./conversion.js";
import { readBlock } from "./owner.js";
import { listed } from "./prose.js";
import type { Scope } from "./schema.js";
import { type ConvertSettings, convertTable } from "./tables/convert.js";

/** Null when anything in the block is wrong (reported). */
export function checkConvert(block: BlockDeclaration, scope: Scope): Conversion | null {
  const { values, partial } = readBlock(convertTable, block, scope);
  const replacements = (partial.replace ?? []).map(({ value, other }): Replacement => ({
    layer: value,
    by: other,
  }));
  const fits =
    !partial.tune || partial.tune.kind === "all" || mapsFound(partial.tune.on, replacements, scope);
  if (values === null || !fits) return null;
  return {
    name: block.name.name,
    doc: block.doc,
    from: values.from,
    replacements,
    tune: tuningOf(values.tune),
  };
}

function tuningOf(tune: ConvertSettings["tune"]): Tuning {
  return tune.kind === "all" ? tune : { ...tune, alpha: tune.alpha ?? 2 * tune.rank };
}

/** Every name to tune is a name inside one of the new layers. */
function mapsFound(
  on: readonly string[],
  replacements: readonly Replacement[],
  { places, reporter, declarations }: Scope,
): boolean {
  const layers = replacements.flatMap(({ by }) => declarations.layers.get(by.layer) ?? []);
  if (layers.length === 0) return true; // reported where they are named
  const known = [...new Set(layers.flatMap(namesIn))];
  const unknown = on.flatMap((name, i) => (known.includes(name) ? [] : [{ name, i }]));
  for (const { name, i } of unknown) {
    const near = suggest(name, known);
    const labels = [
      { span: places.get(`tune.on.${i}`)!, text: "to be tuned" },
      ...layers.map((layer) => ({ span: layer.name.span, text: `has no \`${name}\`` })),
    ];
    const help =
      near === null
        ? `there are ${listed(known.map((each) => `\`${each}\``))}`
        : instead(near, labels[0]!.span);
    reporter.report(messages.unknownName({ name }), labels, help);
  }
  return unknown.length === 0;
}

const namesIn = ({ body }: LayerDeclaration): string[] =>
  body.flatMap((statement) => (statement.kind === "let" ? [statement.name.name] : []));
