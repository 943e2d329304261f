/**
 * Bounds the work of a check, so that no program, however it is made, takes longer than a person waits.
 *
 * Layers that apply layers twice, twenty deep, are a million applications in twenty lines; and expressions
 * nested in layers nested in expressions would run out of stack.
 */

import type { Expression } from "../../../grammar/ast.js";
import { messages } from "../../diagnostics/messages.generated.js";
import { type Frame, report } from "./frame.js";

/**
 * Expressions that one check may evaluate, over all layers and models; calls count as several. A file of
 * 10 000 lines needs less; what takes more takes longer than two seconds.
 */
const mostWork = 3_000_000;
const workOfCall = 8;
const workOfLayer = 24;
/** Expressions that may be under evaluation at once. */
const greatestDepth = 1500;

export class Budget {
  /** Expressions evaluated so far. */
  spent = 0;
  private depth = 0;
  private told = false;

  /** Begins an expression; false when it may not be evaluated, which has been reported. */
  enter(expression: Expression, frame: Frame): boolean {
    this.spent += expression.kind === "call" ? workOfCall : 1;
    if (this.spent > mostWork) {
      if (!this.told)
        report(frame, messages.tooMuchWork({ limit: mostWork }), [
          { span: expression.span, text: "given up here" },
        ]);
      this.told = true;
      return false;
    }
    if (this.depth >= greatestDepth) {
      report(frame, messages.nestingTooDeep({ limit: greatestDepth }), [
        { span: expression.span, text: "too deep, through all the layers around it" },
      ]);
      return false;
    }
    this.depth += 1;
    return true;
  }

  /** Counts the application of a layer, which costs more than the call that says so. */
  apply(): void {
    this.spent += workOfLayer;
  }

  /** Counts work that need not be done again; false when there is not enough left for it. */
  charge(work: number): boolean {
    if (this.spent + work > mostWork) return false;
    this.spent += work;
    return true;
  }

  /** Whether some expression was not evaluated. */
  get exhausted(): boolean {
    return this.spent > mostWork;
  }

  leave(): void {
    this.depth -= 1;
  }
}
