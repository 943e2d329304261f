/** Models of time series: the window they read, its tokens, and the values behind it. */

import { messages } from "../../diagnostics/messages.generated.js";
import type { Axis } from "../../ir/types.js";
import { hasAxis, showAxes } from "../../ir/types.js";
import { alignable } from "../elaborate/arithmetic.js";
import { axisSize } from "../elaborate/axes.js";
import { type WindowDraft, report } from "../elaborate/frame.js";
import { asAxes } from "../elaborate/kinds.js";
import { futureAxes, isOfToken, outsideOfBlocks, settle } from "../elaborate/windows.js";
import { type CompileValue, errorValue, tensorValue } from "../values.js";
import { type Builtin, type BuiltinCall, axisOf, parameters, tensor } from "./builtin.js";

/** The argument as an axis of that many elements; null when it is none (reported). */
function sized(call: BuiltinCall, name: string): Axis | null {
  const { value, span } = call.given.get(name)!;
  return value.kind === "number" ? axisSize(name, value, span, call.frame) : null;
}

const plain = ({ name, size }: Axis): Axis => ({ name, size });

/** What the model reads of the data: one value for a whole window. */
function read(call: BuiltinCall, name: string, axes: readonly Axis[]): CompileValue {
  const attributes = { source: name, dtype: "float", axes, along: "window" } as const;
  return tensorValue(call.frame.builder.op("source", attributes, []));
}

const series: Builtin = {
  usage: "series(lookback, channels: independent)",
  doc: "the last `lookback` values of a series; channels are series of their own, or an axis such as `[channels: 7]`",
  parameters: parameters("lookback number", "channels axes ?"),
  run: (call) => {
    const { environment } = call.frame;
    const lookback = sized(call, "lookback");
    const channels = channelsOf(call);
    if (lookback === null || channels === undefined || !outsideOfBlocks(call)) return errorValue;
    const { span } = call.call;
    const known = environment.window;
    if (environment.vocabulary !== null)
      return conflict(call, "input", "tokens", "a series", known);
    if (known && known.lookback !== lookback.size)
      return conflict(call, "look-back", known.lookback, lookback.size, known);
    if (known && known.channels?.size !== channels?.size)
      return conflict(call, "kind of channels", shown(known.channels), shown(channels), known);
    environment.window ??= { span, lookback: lookback.size, channels, horizon: null, tokens: null };
    return read(call, "series", [plain(lookback), ...(channels === null ? [] : [plain(channels)])]);
  },
};

const shown = (axis: Axis | null): string => (axis === null ? "independent" : `${axis.size}`);

function conflict(
  { call, frame }: BuiltinCall,
  what: string,
  first: string | number,
  second: string | number,
  known: WindowDraft | null,
): CompileValue {
  return report(frame, messages.windowMismatch({ what, first, second }), [
    { span: call.span, text: `${second} here` },
    ...(known ? [{ span: known.span, text: `${first} here` }] : []),
  ]);
}

/** Null for channels that are series of their own; undefined for what is neither (reported). */
function channelsOf(call: BuiltinCall): Axis | null | undefined {
  const given = call.given.get("channels");
  if (!given) return null;
  const { value, span } = given;
  if (value.kind === "axis" && value.name === "independent" && value.size === null) return null;
  const axes = asAxes(value);
  if (axes.length === 1) return axes[0]!;
  report(
    call.frame,
    messages.wrongKind({
      what: "`channels`",
      expected: "`independent`, or one axis with its size",
      found: value.kind === "axis" ? `\`${value.name}\`` : `${axes.length} axes`,
    }),
    [{ span, text: "how many are there?" }],
    "write `channels: independent`, or for example `channels: [channels: 7]`",
  );
  return undefined;
}

/** The window of the model that a call stands in; null where there is none (reported, but of layers on their own). */
function windowOf({ name, call, frame }: BuiltinCall): WindowDraft | null {
  const { window, generic } = frame.environment;
  if (window === null && !generic)
    report(frame, messages.noSeries({ name }), [{ span: call.span, text: "of what series?" }]);
  return window;
}

const future: Builtin = {
  usage: "future(horizon)",
  doc: "the `horizon` values that follow the window: what a forecast is compared with",
  parameters: parameters("horizon number"),
  run: (call) => {
    const { frame } = call;
    const horizon = sized(call, "horizon");
    if (horizon === null || !outsideOfBlocks(call)) return errorValue;
    if (frame.environment.generic) return read(call, "future", [horizon]);
    const window = windowOf(call);
    if (!window || !settle(frame, window, "horizon", horizon.size, call.call.span))
      return errorValue;
    return read(call, "future", futureAxes(horizon.size, window).map(plain));
  },
};

const patches: Builtin = {
  usage: "patches(x, patch, over: lookback)",
  doc: "a window as tokens: consecutive patches of `patch` values, which lie along the axis `patch`",
  parameters: parameters("x tensor", "patch number", "over axes ?"),
  run: (call) => {
    const { frame, given } = call;
    const { builder, environment } = frame;
    const patch = sized(call, "patch");
    const x = tensor(call, "x");
    const axis = given.has("over") ? axisOf(call, "over", "x") : "lookback";
    if (patch === null || axis === null || !outsideOfBlocks(call)) return errorValue;
    const whole = builder.type(x).axes.find(({ name }) => name === axis);
    if (!whole)
      return report(frame, messages.missingAxis({ op: "patches", axis }), [
        { span: given.get("x")!.span, text: `has no axis \`${axis}\`` },
      ]);
    if (environment.generic)
      return tensorValue(builder.op("patches", { axis, patch: { ...whole, ...patch } }, [x]));
    const window = windowOf(call);
    if (!window) return errorValue;
    if (hasAxis(builder.type(x), "patch"))
      return report(frame, messages.duplicateAxis({ axis: "patch" }), [
        { span: given.get("x")!.span, text: "has an axis `patch`" },
      ]);
    if (whole.size % patch.size !== 0)
      return report(
        frame,
        messages.unevenPatches({
          patch: patch.size,
          what: axis === "lookback" ? "look-back" : `\`${axis}\``,
          size: whole.size,
        }),
        [
          { span: given.get("patch")!.span, text: `patches of ${patch.size}` },
          { span: given.get("x")!.span, text: showAxes(builder.type(x).axes) },
        ],
        nearestPatch(whole.size, patch.size),
      );
    const tokens = whole.size / patch.size;
    if (!settle(frame, window, "tokens", tokens, call.call.span)) return errorValue;
    return tensorValue(builder.op("patches", { axis, patch: plain(patch) }, [x]));
  },
};

/** The patch next in size that divides the whole. */
function nearestPatch(whole: number, patch: number): string {
  const most = Math.min(whole, 2 * patch); // 1 divides it, so a larger one is never as near
  const sizes = Array.from({ length: most }, (_, i) => i + 1).filter((size) => whole % size === 0);
  const distance = (size: number): number => Math.abs(size - patch);
  const near = sizes.reduce((best, size) => (distance(size) < distance(best) ? size : best));
  return `patches of ${near} do: \`patch: ${near}\``;
}

const allTokens: Builtin = {
  usage: "all_tokens(x)",
  doc: "x of all tokens of the window, along the axis `tokens`; a value of the whole window is itself",
  parameters: parameters("x tensor"),
  run: (call) => {
    const { frame, given } = call;
    const { builder, environment } = frame;
    const x = tensor(call, "x");
    if (environment.generic) return tensorValue(x);
    const window = windowOf(call);
    if (!window || !outsideOfBlocks(call)) return errorValue;
    if (!isOfToken(builder, x)) return tensorValue(x);
    if (hasAxis(builder.type(x), "tokens"))
      return report(frame, messages.duplicateAxis({ axis: "tokens" }), [
        { span: given.get("x")!.span, text: "has an axis `tokens`" },
      ]);
    const size = window.tokens?.size ?? 1;
    return tensorValue(builder.op("all_tokens", { tokens: { name: "tokens", size } }, [x]));
  },
};

const standardise: Builtin = {
  usage: "standardise(x, mean, deviation)",
  doc: "(x − mean) / deviation of a window; `restore` brings a forecast back",
  parameters: parameters("x tensor", "mean tensor", "deviation tensor"),
  run: (call) => {
    const { frame, given } = call;
    const { builder, environment } = frame;
    if (!outsideOfBlocks(call)) return errorValue;
    const [x, centre, deviation] = ["x", "mean", "deviation"].map((name) => tensor(call, name)) as [
      number,
      number,
      number,
    ];
    const places = ["x", "mean", "deviation"].map((name) => given.get(name)!);
    if (!alignable([x, centre, deviation], places, call.call.span, frame)) return errorValue;
    environment.scales.push({ centre, deviation });
    return tensorValue(builder.div(builder.sub(x, centre), deviation));
  },
};

const restore: Builtin = {
  usage: "restore(y)",
  doc: "y · deviation + mean, for all that `standardise` has taken away, the latest first",
  parameters: parameters("y tensor"),
  run: (call) => {
    const { frame, given } = call;
    const { builder, environment } = frame;
    if (!outsideOfBlocks(call)) return errorValue;
    let y = tensor(call, "y");
    for (const { centre, deviation } of [...environment.scales].reverse()) {
      const place = given.get("y")!;
      if (!alignable([y, deviation, centre], [place, place, place], call.call.span, frame))
        return errorValue;
      y = builder.add(builder.mul(y, deviation), centre);
    }
    return tensorValue(y);
  },
};

export const seriesBuiltins = [
  ["series", series],
  ["future", future],
  ["patches", patches],
  ["all_tokens", allTokens],
  ["standardise", standardise],
  ["restore", restore],
] as const;
