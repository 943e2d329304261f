/** What reaches beyond one token: `prev`, `causal_conv`, `attend`, `position`, `over_tokens`. */

import { messages } from "../../diagnostics/messages.generated.js";
import { findAxis, showAxes } from "../../ir/types.js";
import { report } from "../elaborate/frame.js";
import { asAxisNames } from "../elaborate/kinds.js";
import { errorValue, tensorValue } from "../values.js";
import { type Builtin, axesOf, numberOf, parameters, tensor, truth } from "./builtin.js";

const prev: Builtin = {
  usage: "prev(x, by: 1)",
  doc: "x of the last token of this document (zero at its first), or of `by` tokens ago",
  parameters: parameters("x tensor", "by number ?"),
  run: (call) => {
    const { frame, given } = call;
    const value = given.get("x")!.value;
    const by = numberOf(call, "by") ?? 1;
    if (!Number.isSafeInteger(by) || by < 1)
      return report(frame, messages.badSize({ name: "by", value: by }), [
        { span: given.get("by")!.span, text: "tokens ago" },
      ]);
    // a state's value of the last token is its old value, whether or not it has been stepped
    if (value.kind !== "state")
      return tensorValue(frame.builder.op("lag", { by }, [tensor(call, "x")]));
    return tensorValue(by === 1 ? value.old : frame.builder.op("lag", { by: by - 1 }, [value.old]));
  },
};

const causalConv: Builtin = {
  usage: "causal_conv(x, weight, taps)",
  doc: "Σⱼ weight[j] · x of j tokens ago, within the document",
  parameters: parameters("x tensor", "weight tensor", "taps axes"),
  run: (call) => {
    const over = axesOf(call, "taps", "weight");
    if (!over) return errorValue;
    const { builder } = call.frame;
    const [x, weight] = [tensor(call, "x"), tensor(call, "weight")];
    const position = builder.op("position", {}, []);
    return tensorValue(builder.op("conv", { axis: "time", taps: over[0]! }, [x, weight, position]));
  },
};

const attend: Builtin = {
  usage: "attend(q, k, v, over: key, causal: true, window: none, scale: size(key)^-0.5)",
  doc: "softmax attention over the document's earlier tokens; `over` is the axis q and k share",
  parameters: parameters(
    "q tensor",
    "k tensor",
    "v tensor",
    "over axes ?",
    "causal boolean ?",
    "window number? ?",
    "scale number ?",
  ),
  run: (call) => {
    const { frame, given } = call;
    const { builder } = frame;
    const [q, k, v] = [tensor(call, "q"), tensor(call, "k"), tensor(call, "v")];
    const key = given.has("over")
      ? asAxisNames(given.get("over")!.value)[0]
      : builder.type(k).axes.at(-1)?.name;
    const bare = (["q", "k"] as const).find(
      (side) => key === undefined || !findAxis(builder.type(tensor(call, side)), key),
    );
    if (key === undefined || bare)
      return report(frame, messages.axisMismatch({ op: "attend", axis: key ?? "?" }), [
        {
          span: given.get(bare ?? "k")!.span,
          text: showAxes(builder.type(tensor(call, bare ?? "k")).axes),
        },
      ]);
    const window = numberOf(call, "window");
    if (window !== null && (!Number.isSafeInteger(window) || window < 1))
      return report(frame, messages.badSize({ name: "window", value: window }), [
        { span: given.get("window")!.span, text: "tokens" },
      ]);
    const scale = numberOf(call, "scale") ?? findAxis(builder.type(q), key)!.size ** -0.5;
    const position = builder.op("position", {}, []);
    const attributes = { axis: "time", key, window, causal: truth(call, "causal", true), scale };
    return tensorValue(builder.op("attend", attributes, [q, k, v, position]));
  },
};

const position: Builtin = {
  usage: "position()",
  doc: "the token's position in its document, from 0",
  parameters: [],
  run: ({ frame }) => tensorValue(frame.builder.op("position", {}, [])),
};

const overTokens: Builtin = {
  usage: "over_tokens(x)",
  doc: "the mean of x over all tokens of the batch",
  parameters: parameters("x tensor"),
  run: (call) => tensorValue(call.frame.builder.op("token_mean", {}, [tensor(call, "x")])),
};

export const timeBuiltins = [
  ["prev", prev],
  ["causal_conv", causalConv],
  ["attend", attend],
  ["position", position],
  ["over_tokens", overTokens],
] as const;
