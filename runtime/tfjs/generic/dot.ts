/** `dot`: a two-operand contraction as one batched matmul, [batch, left, over] × [batch, over, right]. */

import type { Tensor } from "@tensorflow/tfjs";
import type { Context } from "./context.js";
import { arrange, spread, view } from "./layout.js";
import { common, countOf, parseSpec, sizesOf, without } from "../letters.js";

export function createDot(context: Context) {
  const { tf, can } = context;

  return (text: string, a: Tensor, b: Tensor): Tensor => {
    const { operands, result } = parseSpec(text);
    const [first, second] = operands as [string, string];
    const sizes = sizesOf(operands, [a, b]);
    const shared = common(first, second);
    const over = without(shared, result);
    const batch = common(result, shared);
    const left = common(without(result, batch), first);
    const right = common(without(result, batch), second);
    const natural = batch + left + right;

    if (over === "" || left + right === "") {
      // As rows of `over`: a multiply of more than six axes silently does nothing on WebAssembly.
      const rows = (x: Tensor, letters: string): Tensor =>
        view(spread(context, x, letters, natural + over, sizes), [
          countOf(natural, sizes),
          countOf(over, sizes),
        ]);
      const flat = tf.mul(rows(a, first), rows(b, second));
      const value = over === "" ? flat : tf.sum(flat, 1);
      return arrange(
        context,
        view(
          value,
          [...natural].map((l) => sizes[l]!),
        ),
        natural,
        result,
      );
    }

    /** As [batch, rows, columns] or, when the layout offers it, transposed. */
    const matrix = (
      x: Tensor,
      letters: string,
      rows: string,
      columns: string,
    ): [Tensor, boolean] => {
      const flipped =
        can.transposedMatMul && letters === batch + columns + rows && rows !== "" && columns !== "";
      const order = flipped ? letters : batch + rows + columns;
      const [m, n] = flipped ? [columns, rows] : [rows, columns];
      const shape = [countOf(batch, sizes), countOf(m, sizes), countOf(n, sizes)];
      return [view(arrange(context, x, letters, order), shape), flipped];
    };
    const [x, flipX] = matrix(a, first, left, over);
    const [y, flipY] = matrix(b, second, over, right);
    const value = view(
      tf.matMul(x, can.sharedMatMul ? y : tf.mul(y, 1), flipX, flipY),
      [...natural].map((l) => sizes[l]!),
    );
    return arrange(context, value, natural, result);
  };
}
