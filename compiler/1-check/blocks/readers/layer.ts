/** Layers of the program or of the library, by name, with arguments where they take the place of others. */

import type { CallExpression, LayerDeclaration, NameExpression } from "../../../../grammar/ast.js";
import { messages } from "../../../diagnostics/messages.generated.js";
import { instead, suggest } from "../../../diagnostics/suggest.js";
import { isInput } from "../../elaborate/apply.js";
import type { LayerUse } from "../conversion.js";
import { optional } from "../rows.js";
import type { Reader, Site } from "../schema.js";
import { constant } from "./number.js";
import { readOptions } from "./options.js";
import { wrongKind } from "./wrong.js";

export const layerName: Reader<string> = {
  takes: "the name of a layer",
  shown: "LAYER",
  read: (value, site) => {
    if (value.kind !== "name") return wrongKind(value, layerName.takes, site);
    return find(value, site)?.name.name;
  },
};

/** `GLA`, or `GLA(heads: 8)` */
export const layerUse: Reader<LayerUse> = {
  takes: "a layer, with or without arguments",
  shown: "LAYER",
  read: (value, site) => {
    const callee = value.kind === "call" ? value.callee : value;
    if (callee.kind !== "name") return wrongKind(value, layerUse.takes, site);
    const layer = find(callee, site);
    if (!layer) return undefined;
    const options = value.kind === "call" ? optionsOf(layer, value, site) : {};
    return options && { layer: layer.name.name, options };
  },
};

function find({ name, span }: NameExpression, { scope }: Site): LayerDeclaration | undefined {
  const { layers } = scope.declarations;
  const layer = layers.get(name);
  if (layer) return layer;
  const near = suggest(name, layers.keys());
  const help =
    near === null
      ? "a layer of this file, of a file it uses, or of the library"
      : instead(near, span);
  scope.reporter.report(messages.unknownLayer({ name }), [{ span, text: "not known" }], help);
  return undefined;
}

/** Arguments by name, and by position among the parameters that are no inputs. */
function optionsOf(
  layer: LayerDeclaration,
  call: CallExpression,
  site: Site,
): LayerUse["options"] | undefined {
  const callee = layer.name.name;
  const parameters = layer.parameters.filter((parameter) => !isInput(parameter));
  const table = Object.fromEntries(
    parameters.map(({ name }) => [name.name, optional(known, `a parameter of \`${callee}\``)]),
  );
  const values = readOptions(callee, table, call.arguments, call.span, site);
  if (!values) return undefined;
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === null ? [] : [[name, value] as const],
  );
  return Object.fromEntries(given);
}

/** A value that needs no model around it. */
const known: Reader<number | boolean | string> = {
  takes: "a number, a text, `true` or `false`",
  shown: "VALUE",
  read: (value, site) => {
    if (value.kind === "string") return value.value;
    if (value.kind === "name" && (value.name === "true" || value.name === "false"))
      return value.name === "true";
    return constant(value) ?? wrongKind(value, known.takes, site);
  },
};
