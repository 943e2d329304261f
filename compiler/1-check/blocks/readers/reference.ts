/** Names of what the program declares elsewhere. */

import type { NameExpression } from "../../../../grammar/ast.js";
import type { Advice } from "../../../diagnostics/diagnostic.js";
import { messages } from "../../../diagnostics/messages.generated.js";
import { instead, suggest } from "../../../diagnostics/suggest.js";
import type { Declarations } from "../../declarations.js";
import { listed } from "../prose.js";
import type { Reader } from "../schema.js";
import { wrongKind } from "./wrong.js";

const declared: Readonly<Record<"model" | "data", (declarations: Declarations) => string[]>> = {
  model: ({ models }) => [...models.keys()],
  data: ({ blocks }) => blocks.filter(({ kind }) => kind === "data").map(({ name }) => name.name),
};

/** The name of a declared model or of declared data. */
export function reference(kind: "model" | "data"): Reader<string> {
  const takes = kind === "model" ? "the name of a model" : "the name of a `data` block";
  return {
    takes,
    shown: "NAME",
    read: (value, site) => {
      if (value.kind !== "name") return wrongKind(value, takes, site);
      const known = declared[kind](site.scope.declarations);
      if (known.includes(value.name)) return value.name;
      site.scope.reporter.report(
        messages.unknownDeclaration({ kind, name: value.name }),
        [{ span: value.span, text: "not declared" }],
        helpFor(value, kind, known),
      );
      return undefined;
    },
  };
}

function helpFor(
  { name, span }: NameExpression,
  kind: string,
  known: readonly string[],
): string | Advice {
  const near = suggest(name, known);
  if (near !== null) return instead(near, span);
  if (known.length === 0) return `declare it: \`${kind} ${name} { … }\``;
  return `declared are ${listed(known.map((each) => `\`${each}\``))}`;
}
