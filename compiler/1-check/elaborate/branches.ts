/** Which branch of an `if` is built: the condition is known when the model is. */

import type { IfExpression, Statement } from "../../../grammar/ast.js";
import { messages } from "../../diagnostics/messages.generated.js";
import { type Frame, report } from "./frame.js";

/** The statements of the branch that holds; null when that cannot be said (reported). */
export function takenBranch(
  { condition, then, else: otherwise }: IfExpression,
  frame: Frame,
): readonly Statement[] | null {
  const value = frame.environment.elaborator.evaluate(condition, frame);
  switch (value.kind) {
    case "error":
      return null;
    case "tensor":
    case "state":
      report(frame, messages.conditionNotKnown(), [{ span: condition.span, text: "a tensor" }]);
      return null;
    case "boolean":
      return value.value ? then : otherwise;
    case "number":
      return value.value !== 0 ? then : otherwise;
    case "none":
      return otherwise;
    default:
      return then;
  }
}
