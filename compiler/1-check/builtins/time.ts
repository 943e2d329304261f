/** What reaches beyond one token: `prev`, `causal_conv`, `attend`, `position`, `over_tokens`. */

import { messages } from "../../diagnostics/messages.generated.js";
import { findAxis, hasAxis, showAxes, unionAxes, withoutAxes } from "../../ir/types.js";
import { alignable } from "../elaborate/arithmetic.js";
import { report } from "../elaborate/frame.js";
import { asAxisNames } from "../elaborate/kinds.js";
import { errorValue, tensorValue } from "../values.js";
import { type Builtin, axisOf, numberOf, parameters, tensor, truth } from "./builtin.js";

/** Generation keeps the tokens in between. */
const longestLag = 4096;

const prev: Builtin = {
  usage: "prev(x, by: 1)",
  doc: "x of the last token of this document (zero at its first), or of `by` tokens ago",
  parameters: parameters("x tensor", "by number ?"),
  run: (call) => {
    const { frame, given } = call;
    const value = given.get("x")!.value;
    const by = numberOf(call, "by") ?? 1;
    if (!Number.isSafeInteger(by) || by < 1 || by > longestLag)
      return report(frame, messages.badSize({ name: "by", value: by }), [
        { span: given.get("by")!.span, text: `tokens ago, at most ${longestLag}` },
      ]);
    // a state's value of the last token is its old value, whether or not it has been stepped
    if (value.kind !== "state")
      return tensorValue(frame.builder.op("lag", { by }, [tensor(call, "x")]));
    return tensorValue(by === 1 ? value.old : frame.builder.op("lag", { by: by - 1 }, [value.old]));
  },
};

/** A filter of more taps is attention's work; and generation keeps as many tokens. */
const mostTaps = 1024;

const causalConv: Builtin = {
  usage: "causal_conv(x, weight, taps)",
  doc: "Σⱼ weight[j] · x of j tokens ago, within the document",
  parameters: parameters("x tensor", "weight tensor", "taps axes"),
  run: (call) => {
    const taps = axisOf(call, "taps", "weight");
    if (taps === null) return errorValue;
    const { builder } = call.frame;
    const sides = (["x", "weight"] as const).map((side) => call.given.get(side)!);
    const [x, weight] = [tensor(call, "x"), tensor(call, "weight")];
    const filter = findAxis(builder.type(weight), taps)!;
    if (filter.size > mostTaps && filter.label === undefined)
      return report(call.frame, messages.badSize({ name: taps, value: filter.size }), [
        { span: call.given.get("taps")!.span, text: `at most ${mostTaps} taps` },
      ]);
    if (hasAxis(builder.type(x), taps))
      return report(call.frame, messages.duplicateAxis({ axis: taps }), [
        { span: call.given.get("x")!.span, text: `has an axis \`${taps}\`, too` },
      ]);
    if (!alignable([x, weight], sides, call.call.span, call.frame)) return errorValue;
    // one filter for every element: along axes that only one side has, the other is repeated
    const axes = unionAxes([builder.type(x).axes, withoutAxes(builder.type(weight).axes, [taps])]);
    const position = builder.op("position", {}, []);
    return tensorValue(
      builder.op("conv", { axis: "time", taps }, [
        builder.conform(x, axes),
        builder.conform(weight, [filter, ...axes]),
        position,
      ]),
    );
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
    const places = (["q", "k", "v"] as const).map((side) => given.get(side)!);
    if (!alignable([q, k, v], places, call.call.span, frame)) return errorValue;
    const window = numberOf(call, "window");
    if (window !== null && (!Number.isSafeInteger(window) || window < 1))
      return report(frame, messages.badSize({ name: "window", value: window }), [
        { span: given.get("window")!.span, text: "tokens" },
      ]);
    const scale = numberOf(call, "scale") ?? findAxis(builder.type(q), key)!.size ** -0.5;
    const position = builder.op("position", {}, []);
    // keys with axes that queries lack: a query for each
    const queries = unionAxes([builder.type(q).axes, builder.type(k).axes]);
    const attributes = { axis: "time", key, window, causal: truth(call, "causal", true), scale };
    return tensorValue(
      builder.op("attend", attributes, [builder.conform(q, queries), k, v, position]),
    );
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
