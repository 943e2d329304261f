/** `rotate`: pairs of an axis turned by angles. */

import { messages } from "../../diagnostics/messages.generated.js";
import { findAxis, hasAxis } from "../../ir/types.js";
import { alignable } from "../elaborate/arithmetic.js";
import { report } from "../elaborate/frame.js";
import { errorValue, tensorValue } from "../values.js";
import { type Builtin, type BuiltinCall, axisOf, parameters, tensor } from "./builtin.js";

const rotate: Builtin = {
  usage: "rotate(x, angle, over: last(x), pairs: last(angle))",
  doc: "the pairs (x_i, x_{i + size/2}) along `over` turned by `angle`, whose axis `pairs` has half the size",
  parameters: parameters("x tensor", "angle tensor", "over axes ?", "pairs axes ?"),
  run: (call) => {
    const over = axisFor(call, "over", "x");
    const pairs = axisFor(call, "pairs", "angle");
    if (over === null || pairs === null) return errorValue;
    const { builder } = call.frame;
    const [x, angle] = [tensor(call, "x"), tensor(call, "angle")];
    const [whole, half] = [findAxis(builder.type(x), over)!, findAxis(builder.type(angle), pairs)!];
    const symbolic = whole.label !== undefined || half.label !== undefined;
    if (!symbolic && whole.size !== 2 * half.size)
      return report(
        call.frame,
        messages.badSize({
          name: pairs,
          value: `${half.size}, half of ${whole.size} being wanted`,
        }),
        [
          { span: call.given.get("angle")!.span, text: `${half.size} angles` },
          { span: call.given.get("x")!.span, text: `${whole.size} elements along \`${over}\`` },
        ],
        `give the angle an axis of half the size of \`${over}\`, or say which with \`over:\` and \`pairs:\``,
      );
    const clash = hasAxis(builder.type(x), pairs) ? pairs : over;
    if (clash === pairs || hasAxis(builder.type(angle), over))
      return report(call.frame, messages.duplicateAxis({ axis: clash }), [
        { span: call.call.span, text: `both sides have \`${clash}\`` },
      ]);
    const sides = (["x", "angle"] as const).map((side) => call.given.get(side)!);
    if (!alignable([x, angle], sides, call.call.span, call.frame, [over, pairs])) return errorValue;
    return tensorValue(builder.op("rotate", { over, pairs }, [x, angle]));
  },
};

/** The axis given for a parameter, by default the last of its tensor. */
function axisFor(call: BuiltinCall, name: string, operand: string): string | null {
  if (call.given.has(name)) return axisOf(call, name, operand);
  const last = call.frame.builder.type(tensor(call, operand)).axes.at(-1);
  if (last) return last.name;
  report(call.frame, messages.missingAxis({ op: "rotate", axis: name }), [
    { span: call.given.get(operand)!.span, text: "has no axes" },
  ]);
  return null;
}

export const rotateBuiltins = [["rotate", rotate]] as const;
