/** Contractions and reductions: `dot`, `sum`, `mean`. */

import { messages } from "../../diagnostics/messages.generated.js";
import { findAxis, showAxes } from "../../ir/types.js";
import { alignable } from "../elaborate/arithmetic.js";
import { originLabel, report } from "../elaborate/frame.js";
import { asAxisNames } from "../elaborate/kinds.js";
import { errorValue, tensorValue } from "../values.js";
import { type Builtin, type BuiltinCall, axesOf, parameters, tensor } from "./builtin.js";

const dot: Builtin = {
  usage: "dot(a, b, over)",
  doc: "multiplies and sums over the named axes; other axes of one name are aligned",
  parameters: parameters("a tensor", "b tensor", "over axes"),
  run: (call) => {
    const { frame, given } = call;
    const { builder } = frame;
    const over = asAxisNames(given.get("over")!.value);
    const [a, b] = [tensor(call, "a"), tensor(call, "b")];
    for (const axis of over) {
      const bare = (["a", "b"] as const).find(
        (side) => !findAxis(builder.type(tensor(call, side)), axis),
      );
      if (!bare) continue;
      const other = bare === "a" ? "b" : "a";
      const [id, otherId] = [tensor(call, bare), tensor(call, other)];
      const name = (side: "a" | "b"): string => {
        const { expression } = given.get(side)!;
        return expression.kind === "name" ? expression.name : "the other side";
      };
      const own = builder.type(id).axes;
      const shared = own.find(
        (candidate) =>
          findAxis(builder.type(otherId), candidate.name) && !over.includes(candidate.name),
      );
      const text = `${name(bare)} has no axis \`${axis}\`;  ${name(other)} is ${showAxes(builder.type(otherId).axes)}`;
      return report(
        frame,
        messages.axisMismatch({ op: "dot", axis }),
        [
          { span: given.get(bare)!.span, text },
          ...originLabel(frame, id).filter((l) => l.span.start !== given.get(bare)!.span.start),
        ],
        `give ${name(bare)} the axis \`${axis}\`${shared ? `, or contract \`${shared.name}\`` : ""}`,
      );
    }
    if (!alignable([a, b], [given.get("a")!, given.get("b")!], call.call.span, frame))
      return errorValue;
    return tensorValue(builder.dot(a, b, over));
  },
};

function reduced(call: BuiltinCall): { x: number; over: string[]; count: number } | null {
  const x = tensor(call, "x");
  const { axes } = call.frame.builder.type(x);
  const over = call.given.has("over") ? axesOf(call, "over", "x") : axes.map((axis) => axis.name);
  if (!over) return null;
  const count = axes
    .filter((axis) => over.includes(axis.name))
    .reduce((n, axis) => n * axis.size, 1);
  return { x, over, count };
}

const sum: Builtin = {
  usage: "sum(x, over)",
  doc: "the sum along axes; along all of a token's axes when none is named",
  parameters: parameters("x tensor", "over axes ?"),
  run: (call) => {
    const found = reduced(call);
    return found ? tensorValue(call.frame.builder.sum(found.x, found.over)) : errorValue;
  },
};

const mean: Builtin = {
  usage: "mean(x, over)",
  doc: "the mean along axes; along all of a token's axes when none is named",
  parameters: parameters("x tensor", "over axes ?"),
  run: (call) => {
    const found = reduced(call);
    if (!found) return errorValue;
    const { builder } = call.frame;
    return tensorValue(
      builder.mul(builder.sum(found.x, found.over), builder.constant(1 / found.count)),
    );
  },
};

export const contractionBuiltins = [
  ["dot", dot],
  ["sum", sum],
  ["mean", mean],
] as const;
