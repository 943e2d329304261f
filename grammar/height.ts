/**
 * Keeps the tree low enough for recursive walks. Brackets are bounded before parsing, but a chain of ten
 * thousand operators, members or `else if`s nests as deeply in the tree; such an expression is reported and
 * replaced by an error node.
 */

import { messages } from "../compiler/diagnostics/messages.generated.js";
import type { Expression, Item, Span, Statement } from "./ast.js";
import type { Problems } from "./problems.js";

/** Nodes on the longest path; a walk that uses a few call frames a node is far from the end of its stack. */
export const greatestHeight = 1000;

export function limitHeight(items: readonly Item[], problems: Problems): Item[] {
  const limit = <T extends Expression | Statement>(node: T): T => {
    if (!isTooHigh(node)) return node;
    problems.report(messages.nestingTooDeep({ limit: greatestHeight }), [
      { span: start(node.span), text: "" },
    ]);
    return { kind: "error", span: node.span } as unknown as T;
  };
  const orNull = (value: Expression | null) => (value === null ? null : limit(value));

  return items.map((item): Item => {
    switch (item.kind) {
      case "layer":
      case "model": {
        const parameters = item.parameters.map((p) => ({ ...p, default: orNull(p.default) }));
        return { ...item, parameters, body: item.body.map(limit) };
      }
      case "data":
      case "train":
      case "parallel":
      case "convert": {
        const on = item.on === null ? null : { ...item.on, count: orNull(item.on.count) };
        const settings = item.settings.map((setting) => ({
          ...setting,
          value: orNull(setting.value),
          modifiers: setting.modifiers.map((m) => ({ ...m, value: limit(m.value) })),
        }));
        return { ...item, on, settings };
      }
      case "use":
      case "error":
        return item;
    }
  });
}

const start = (span: Span): Span => ({ ...span, end: Math.min(span.end, span.start + 1) });

/** Walks with a stack of its own, since the point is that recursion might not do. */
function isTooHigh(root: Expression | Statement): boolean {
  if (root.span.end - root.span.start < greatestHeight) return false; // every level takes a character
  const stack: { value: object; height: number }[] = [{ value: root, height: 0 }];
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const height = entry.height + ("kind" in entry.value ? 1 : 0);
    if (height > greatestHeight) return true;
    for (const child of Object.values(entry.value)) {
      if (typeof child === "object" && child !== null && !("source" in child))
        stack.push({ value: child, height });
    }
  }
  return false;
}
