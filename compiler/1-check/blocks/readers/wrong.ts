/** What every reader says about a value it cannot take. */

import type { Expression } from "../../../../grammar/ast.js";
import { messages } from "../../../diagnostics/messages.generated.js";
import type { Site } from "../schema.js";

/** Reports `wrong-kind`, unless the parser has reported the value already. */
export function wrongKind(value: Expression, expected: string, site: Site): undefined {
  if (value.kind === "error") return;
  const found = foundText(value);
  site.scope.reporter.report(
    messages.wrongKind({ what: site.name, expected, found }),
    [{ span: value.span, text: `this is ${found}` }],
    site.help,
  );
}

/** Reports `out-of-range`. */
export function outOfRange(value: Expression, range: string, shown: string, site: Site): undefined {
  site.scope.reporter.report(
    messages.outOfRange({ name: site.name, range, value: shown }),
    [{ span: value.span, text: `this is ${shown}` }],
    site.help,
  );
}

export function foundText(value: Expression): string {
  switch (value.kind) {
    case "number":
      return "a number";
    case "string":
      return "a text";
    case "name":
      return `the name \`${value.name}\``;
    case "call":
      return `\`${value.callee.name}(…)\``;
    case "axes":
      return "a list";
    case "pairs":
      return value.entries.some(({ name }) => name !== null) ? "named values" : "several values";
    case "parenthesized":
      return foundText(value.expression);
    default:
      return "an expression";
  }
}
