/** Warns of states that no statement steps. */

import type {
  LayerDeclaration,
  ModelDeclaration,
  StateStatement,
  WriteStatement,
} from "../../grammar/ast.js";
import { messages } from "../diagnostics/messages.generated.js";
import type { Reporter } from "../diagnostics/report.js";

/** Looks at the text only: a step inside a branch that is not taken is a step. */
export function checkStates(
  { body }: LayerDeclaration | ModelDeclaration,
  reporter: Reporter,
): void {
  const states: StateStatement[] = [];
  const stepped = new Set<string>();
  const open: unknown[] = [...body];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node !== "object" || node === null) continue;
    if (isKind<StateStatement>(node, "state")) states.push(node);
    if (isKind<WriteStatement>(node, "write")) stepped.add(node.state.name);
    open.push(
      ...Object.values(node).filter((child) => typeof child === "object" && child !== null),
    );
  }
  for (const { name } of states)
    if (!stepped.has(name.name))
      reporter.report(messages.stateNeverWritten({ name: name.name }), [
        { span: name.span, text: "keeps its initial value" },
      ]);
}

const isKind = <N extends { readonly kind: string }>(node: object, kind: N["kind"]): node is N =>
  "kind" in node && node.kind === kind;
