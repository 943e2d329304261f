/** Ties the mutually recursive parts of the elaborator together. */

import { applyRecipe } from "./apply.js";
import { evaluate } from "./expressions.js";
import type { Elaborator } from "./frame.js";
import { evaluateBody } from "./statements.js";

export const elaborator: Elaborator = { evaluate, body: evaluateBody, apply: applyRecipe };
