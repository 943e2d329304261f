/** `grad`: the derivative of a token's loss, such as that of a memory which learns while it reads. */

import { messages } from "../../diagnostics/messages.generated.js";
import { derivative, pathNodes } from "../../ir/derivative.js";
import type { Node } from "../../ir/graph.js";
import { showAxes } from "../../ir/types.js";
import { originLabel, report } from "../elaborate/frame.js";
import { writtenOps } from "../steps.js";
import { type CompileValue, kindNames, tensorValue } from "../values.js";
import { type Builtin, type BuiltinCall, parameters, tensor } from "./builtin.js";

const grad: Builtin = {
  usage: "grad(loss, x)",
  doc: "∂loss/∂x: how one token's loss, a single number, changes with x, for each element of x",
  parameters: parameters("loss tensor", "x tensor"),
  run: (call) => {
    const { frame, given } = call;
    const { builder } = frame;
    const at = given.get("x")!;
    const [loss, x] = [tensor(call, "loss"), tensor(call, "x")];
    const { axes } = builder.type(loss);
    if (axes.length > 0)
      return report(frame, messages.lossNotScalar({ found: showAxes(axes) }), [
        { span: given.get("loss")!.span, text: showAxes(axes) },
        ...originLabel(frame, loss).filter((l) => l.span.start !== given.get("loss")!.span.start),
      ]);
    if (at.value.kind === "number" || builder.type(x).dtype === "int") {
      const found = at.value.kind === "number" ? kindNames.number : "whole numbers";
      return report(
        frame,
        messages.wrongKind({ what: "what `grad` is taken by", expected: "a tensor", found }),
        [{ span: at.span, text: `this is ${found}` }],
      );
    }
    const { nodes, found } = pathNodes(builder.nodes, loss, x);
    if (!found) return notInLoss(call, loss);
    const far = nodes.find(({ op }) => writtenOps[op] !== undefined);
    if (far) return blockedBy(call, far);
    builder.span = call.call.span;
    const result = derivative(builder, nodes, loss, x);
    if (typeof result === "number") return tensorValue(result);
    return result.blocked === null ? notInLoss(call, loss) : blockedBy(call, result.blocked);
  },
};

function notInLoss({ frame, given }: BuiltinCall, loss: number): CompileValue {
  const at = given.get("x")!;
  const name = at.expression.kind === "name" ? `\`${at.expression.name}\`` : "its second argument";
  const { value } = at;
  const isOld = value.kind === "state" && pathNodes(frame.builder.nodes, loss, value.old).found;
  return report(
    frame,
    messages.notInLoss({ name }),
    [
      { span: at.span, text: "the loss does not depend on it" },
      { span: given.get("loss")!.span, text: "the loss" },
    ],
    isOld
      ? `the loss was made before the step of ${name}: take the gradient by its \`.prev\`, or before the step`
      : undefined,
  );
}

function blockedBy({ frame, given }: BuiltinCall, node: Node): CompileValue {
  const op = node.op === "map" ? node.attributes.fn : (writtenOps[node.op] ?? node.op);
  const { span } = frame.builder.values[node.outputs[0]!]!;
  const own = span !== null && !frame.environment.declarations.library.has(span.source);
  return report(frame, messages.noGradientThrough({ op }), [
    { span: given.get("loss")!.span, text: "this loss" },
    ...(own ? [{ span, text: `goes through \`${op}\`` }] : []),
  ]);
}

export const gradBuiltins = [["grad", grad]] as const;
