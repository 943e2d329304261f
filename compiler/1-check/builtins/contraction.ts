/** Contractions and reductions: `dot`, `sum`, `mean`. */

import type { Expression } from "../../../grammar/ast.js";
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
      const name = (side: "a" | "b", otherwise: string): string =>
        nameOf(given.get(side)!.expression) ?? otherwise;
      const own = builder.type(id).axes;
      const shared = own.filter(
        (candidate) =>
          findAxis(builder.type(otherId), candidate.name) && !over.includes(candidate.name),
      );
      const text = `${name(bare, "this")} has no axis \`${axis}\`;  ${name(other, "the other side")} is ${showAxes(builder.type(otherId).axes)}`;
      const fitting = shared.map((candidate) => `\`${candidate.name}\``).join(" or ");
      return report(
        frame,
        messages.axisMismatch({ op: "dot", axis }),
        [
          { span: given.get(bare)!.span, text },
          ...originLabel(frame, id).filter((l) => l.span.start !== given.get(bare)!.span.start),
        ],
        `give ${name(bare, "this side")} the axis \`${axis}\`${fitting && `, or contract ${fitting}`}`,
      );
    }
    if (!alignable([a, b], [given.get("a")!, given.get("b")!], call.call.span, frame))
      return errorValue;
    return tensorValue(builder.dot(a, b, over));
  },
};

/** How the user calls an operand: `k`, `S.prev`. */
function nameOf(expression: Expression): string | null {
  if (expression.kind === "name") return expression.name;
  if (expression.kind !== "member") return null;
  const object = nameOf(expression.object);
  return object && `${object}.${expression.property.name}`;
}

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
