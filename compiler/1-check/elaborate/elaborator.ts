/** Ties the mutually recursive parts of the elaborator together. */

import { errorValue } from "../values.js";
import { applyRecipe } from "./apply.js";
import { evaluate } from "./expressions.js";
import type { Elaborator } from "./frame.js";
import { evaluateBody } from "./statements.js";

export const elaborator: Elaborator = {
  evaluate: (expression, frame, expected) => {
    const { budget, watch } = frame.environment;
    if (!budget.enter(expression, frame)) return errorValue;
    const value = evaluate(expression, frame, expected);
    budget.leave();
    if (watch?.depth === frame.stack.length) watch.see(expression, value);
    return value;
  },
  body: evaluateBody,
  apply: applyRecipe,
};
