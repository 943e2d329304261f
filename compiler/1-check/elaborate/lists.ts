/** Patterns: lists of layers, joined and repeated. */

import type { Span } from "../../../grammar/ast.js";
import { messages } from "../../diagnostics/messages.generated.js";
import type { CompileValue, NumberValue } from "../values.js";
import { type Frame, report } from "./frame.js";

/** Longest list a pattern may grow to: deeper models are slips. */
const longestList = 1024;

/** `[L, N] * 3`. */
export function repeat(
  items: readonly CompileValue[],
  times: NumberValue,
  span: Span,
  frame: Frame,
): CompileValue {
  const count = times.value;
  if (Number.isSafeInteger(count) && count >= 0 && count * items.length <= longestList)
    return { kind: "list", items: Array.from({ length: count }, () => items).flat() };
  return report(
    frame,
    messages.wrongKind({
      what: "the number of repeats",
      expected: `a whole number, for a list of ${longestList} at most`,
      found: String(count),
    }),
    [{ span, text: "repeats" }],
  );
}

/** `[L] + [N]`. */
export function joined(
  left: readonly CompileValue[],
  right: readonly CompileValue[],
  span: Span,
  frame: Frame,
): CompileValue {
  const items = [...left, ...right];
  if (items.length <= longestList) return { kind: "list", items };
  return report(
    frame,
    messages.wrongKind({
      what: "the sum",
      expected: `a list of ${longestList} at most`,
      found: `one of ${items.length}`,
    }),
    [{ span, text: "too long" }],
  );
}
