/** `expand`: repeats x along new axes, and reorders the ones it has. */

import type { Tensor } from "@tensorflow/tfjs";
import type { Context } from "./context.js";
import { spread } from "./layout.js";
import { type Sizes, parseSpec } from "../letters.js";

export function createExpand(context: Context) {
  return (text: string, x: Tensor, sizes: Sizes): Tensor => {
    const { operands, result } = parseSpec(text);
    return spread(context, x, operands[0]!, result, sizes);
  };
}
