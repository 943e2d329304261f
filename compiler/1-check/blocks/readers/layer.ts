/** Layers of the program or of the library, by name, with arguments where they take the place of others. */

import type { Argument, LayerDeclaration, NameExpression } from "../../../../grammar/ast.js";
import { messages } from "../../../diagnostics/messages.generated.js";
import { suggest } from "../../../diagnostics/suggest.js";
import { isInput } from "../../elaborate/apply.js";
import type { LayerUse } from "../conversion.js";
import type { Reader, Site } from "../schema.js";
import { constant } from "./number.js";
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
    const options = optionsOf(layer, value.kind === "call" ? value.arguments : [], site);
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
      : `did you mean \`${near}\`?`;
  scope.reporter.report(messages.unknownLayer({ name }), [{ span, text: "not known" }], help);
  return undefined;
}

/** Arguments by name, and by position among the parameters that are no inputs. */
function optionsOf(
  layer: LayerDeclaration,
  given: readonly Argument[],
  site: Site,
): LayerUse["options"] | undefined {
  const known = layer.parameters
    .filter((parameter) => !isInput(parameter))
    .map(({ name }) => name.name);
  const options: Record<string, number | boolean | string> = {};
  let failed = false;
  given.forEach(({ name: given, value, span }, i) => {
    const name = given?.name ?? known[i] ?? `argument ${i + 1}`;
    const fail = (
      message: ReturnType<typeof messages.duplicateArgument>,
      help: string | null,
    ): void => {
      failed = true;
      site.scope.reporter.report(
        message,
        [{ span: given?.span ?? span, text: `for \`${layer.name.name}\`` }],
        help,
      );
    };
    const near = suggest(name, known);
    const option = literal(value);
    if (!known.includes(name))
      fail(
        messages.unknownArgument({ callee: layer.name.name, name }),
        near && `did you mean \`${near}\`?`,
      );
    else if (Object.hasOwn(options, name)) fail(messages.duplicateArgument({ name }), null);
    else if (option === undefined) {
      failed = true;
      wrongKind(value, "a number, a text, `true` or `false`", { ...site, name: `\`${name}\`` });
    } else options[name] = option;
  });
  return failed ? undefined : options;
}

function literal(value: Argument["value"]): number | boolean | string | undefined {
  if (value.kind === "string") return value.value;
  if (value.kind === "name" && (value.name === "true" || value.name === "false"))
    return value.name === "true";
  return constant(value);
}
