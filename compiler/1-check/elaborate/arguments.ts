/** Matches the arguments of a call with the parameters of a layer or a built-in function. */

import type { Argument, Expression, Span } from "../../../grammar/ast.js";
import type { Advice, Label, Message } from "../../diagnostics/diagnostic.js";
import { messages } from "../../diagnostics/messages.generated.js";
import { instead, suggest } from "../../diagnostics/suggest.js";
import { type Frame, report } from "./frame.js";

/** An argument beside the parameter it is for, not yet evaluated. */
export type Matched = ReadonlyMap<string, { readonly expression: Expression; readonly span: Span }>;

/**
 * Positional arguments fill `positional` in order; named ones go by name. Every mistake is reported;
 * null when there was one.
 */
export function matchArguments(
  callee: string,
  positional: readonly string[],
  names: readonly string[],
  given: readonly Argument[],
  span: Span,
  frame: Frame,
): Matched | null {
  const matched = new Map<string, { expression: Expression; span: Span }>();
  let next = 0;
  let failed = false;
  const fail = (
    message: Message,
    labels: readonly Label[],
    help?: string | Advice | null,
  ): void => {
    failed = true;
    report(frame, message, labels, help);
  };
  for (const argument of given) {
    const name = argument.name?.name ?? positional[next];
    if (argument.name === null) next += 1;
    if (name === undefined) {
      const message = messages.tooManyArguments({ callee, count: positional.length });
      fail(message, [{ span: argument.span, text: "one too many" }]);
      break;
    }
    const at = argument.name?.span ?? argument.span;
    if (!names.includes(name)) {
      const near = suggest(name, names);
      fail(
        messages.unknownArgument({ callee, name }),
        [{ span: at, text: "unknown" }],
        near
          ? instead(near, at)
          : names.length > 0
            ? `it has ${names.map((n) => `\`${n}\``).join(", ")}`
            : undefined,
      );
    } else if (matched.has(name)) {
      fail(messages.duplicateArgument({ name }), [
        { span: at, text: "again here" },
        { span: matched.get(name)!.span, text: "first here" },
      ]);
    } else {
      matched.set(name, { expression: argument.value, span: argument.span });
    }
  }
  return failed ? null : matched;
}
