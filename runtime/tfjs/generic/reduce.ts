/** `sum` and `max` over the letters the result lacks. */

import type { Tensor } from "@tensorflow/tfjs";
import type { Context } from "./context.js";
import { arrange, toFloat, view } from "./layout.js";
import { countOf, parseSpec, shapeOf, sizesOf, without } from "../letters.js";

export function createReduce(context: Context, fn: "sum" | "max") {
  const { tf } = context;
  return (text: string, x: Tensor): Tensor => {
    const { operands, result } = parseSpec(text);
    const [letters] = operands as [string];
    const sizes = sizesOf(operands, [x]);
    const over = without(letters, result);
    const rows = view(arrange(context, x, letters, result + over), [
      countOf(result, sizes),
      countOf(over, sizes),
    ]);
    const value = toFloat(context, rows);
    return view(fn === "sum" ? tf.sum(value, 1) : tf.max(value, 1), shapeOf(result, sizes));
  };
}
