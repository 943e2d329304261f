/**
 * The causal depthwise convolution and its two gradients, by shifts: one term a tap.
 *
 * `positions` is each token's place in its document, so tap j reaches only as far back as its first token.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { MapKernel } from "../kernel-set.js";
import type { Context } from "./context.js";
import { view } from "./layout.js";
import type { createMap } from "./map.js";
import type { createShift } from "./structure.js";
import { parseSpec, shapeOf, sizesOf, without } from "../letters.js";

interface Parts {
  readonly map: ReturnType<typeof createMap>;
  readonly shift: ReturnType<typeof createShift>;
}

/** x · w [· reaches], where `reaches` is 1 at tokens whose document goes back far enough for the tap. */
function maskedProduct(
  letters: readonly [string, string, string],
  output: string,
  tap: number,
): MapKernel {
  const input = (index: number) => ({ kind: "input", index }) as const;
  return {
    inputs: letters,
    output,
    reduce: "sum",
    code: [
      { fn: "ge", arguments: [input(2), { kind: "constant", value: tap }] },
      { fn: "mul", arguments: [input(0), input(1)] },
      {
        fn: "mul",
        arguments: [
          { kind: "value", index: 0 },
          { kind: "value", index: 1 },
        ],
      },
    ],
  };
}

/** w[tap], with the letters of w that are left. */
function tapOf({ tf }: Context, w: Tensor, letters: string, taps: string, tap: number): Tensor {
  return tf.gather(w, tf.scalar(tap, "int32"), letters.indexOf(taps));
}

/** `by` tells where a tap's term lands: forward for the convolution, backward for its adjoint. */
function createConvolution(
  context: Context,
  { map, shift }: Parts,
  direction: "forward" | "backward",
) {
  const { tf } = context;
  return (
    text: string,
    axis: string,
    taps: string,
    x: Tensor,
    w: Tensor,
    positions: Tensor,
  ): Tensor => {
    const { operands, result } = parseSpec(text);
    const [xs, ws, ps] = operands as [string, string, string];
    const sizes = sizesOf(operands, [x, w, positions]);
    let sum: Tensor | null = null;
    for (let tap = 0; tap < sizes[taps]!; tap++) {
      const kernel = maskedProduct([xs, without(ws, taps), ps], result, tap);
      const at = result.indexOf(axis);
      const weight = tapOf(context, w, ws, taps, tap);
      const term =
        direction === "forward"
          ? map(kernel, [shift(x, xs.indexOf(axis), tap), weight, positions], sizes)
          : shift(map(kernel, [x, weight, positions], sizes), at, -tap);
      const flat = view(term, [-1]);
      sum = sum ? tf.add(sum, flat) : flat;
    }
    return view(sum!, shapeOf(result, sizes));
  };
}

/** y[t] = Σⱼ w[j] · x[t−j] while j ≤ positions[t] */
export function createConv(context: Context, parts: Parts) {
  return createConvolution(context, parts, "forward");
}

/** dx[t] = Σⱼ w[j] · dy[t+j] while j ≤ positions[t+j] */
export function createConvInputGradient(context: Context, parts: Parts) {
  return createConvolution(context, parts, "backward");
}

/** dw[j] = Σₜ x[t−j] · dy[t] while j ≤ positions[t] */
export function createConvWeightGradient(context: Context, { map, shift }: Parts) {
  const { tf } = context;
  return (
    text: string,
    axis: string,
    taps: string,
    size: number,
    x: Tensor,
    dy: Tensor,
    positions: Tensor,
  ): Tensor => {
    const { operands, result } = parseSpec(text);
    const [xs, ys, ps] = operands as [string, string, string];
    const sizes = sizesOf(operands, [x, dy, positions]);
    const rows = Array.from({ length: size }, (_, tap) =>
      map(
        maskedProduct([xs, ys, ps], without(result, taps), tap),
        [shift(x, xs.indexOf(axis), tap), dy, positions],
        sizes,
      ),
    );
    return tf.stack(rows, result.indexOf(taps));
  };
}
