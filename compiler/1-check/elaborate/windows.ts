/**
 * Models that read windows of a series: which values belong to a whole window, and which to one of its tokens.
 *
 * A window is a model's sequence. `series` and `future` are values of the window; `patches` cuts it into tokens,
 * and from there on values are a token's, as they are in a language model; `all_tokens` leads back to the window.
 */

import type { ModelDeclaration, Span } from "../../../grammar/ast.js";
import { messages } from "../../diagnostics/messages.generated.js";
import type { GraphBuilder } from "../../ir/builder.js";
import type { ValueId } from "../../ir/graph.js";
import { type Axis, showAxes } from "../../ir/types.js";
import type { BuiltinCall } from "../builtins/builtin.js";
import { type Drafted, type Frame, type WindowDraft, report } from "./frame.js";

/** What a model of series reads and forecasts. */
export interface Window {
  /** Values of every channel that it reads, and the values behind them that it forecasts. */
  readonly lookback: number;
  readonly horizon: number;
  /** How many channels a window has; null where each channel is a series of its own. */
  readonly channels: number | null;
  /** Tokens in a window: its patches, or one where it is not cut. */
  readonly tokens: number;
}

export function finishedWindow({ lookback, horizon, channels, tokens }: WindowDraft): Window {
  return {
    lookback,
    horizon: horizon!.size,
    channels: channels?.size ?? null,
    tokens: tokens?.size ?? 1,
  };
}

/** The axes of a forecast and of what it is compared with. */
export const futureAxes = (horizon: number, { channels }: WindowDraft): Axis[] => [
  { name: "horizon", size: horizon },
  ...(channels === null ? [] : [channels]),
];

/** Whether a model that reads a series forecasts it, in the right shape; reports it otherwise. */
export function forecasts({ name }: ModelDeclaration, frame: Frame): boolean {
  const { builder, environment } = frame;
  const { window } = environment;
  if (window === null) return true;
  const { horizon } = window;
  const own = builder.type(builder.outputs.find((port) => port.name === "prediction")!.value).axes;
  const wanted = horizon === null ? null : futureAxes(horizon.size, window);
  const fits =
    wanted !== null &&
    own.length === wanted.length &&
    wanted.every((axis) => own.some((one) => one.name === axis.name && one.size === axis.size));
  if (fits) return true;
  const expected = wanted === null ? "the future of its series" : showAxes(wanted);
  report(frame, messages.noForecast({ name: name.name, expected, found: showAxes(own) }), [
    { span: name.span, text: `predicts ${showAxes(own)}` },
    { span: window.span, text: "reads this" },
  ]);
  return false;
}

/** Whether a call stands in the model itself, not in a block of a chain or in a mix; reports it otherwise. */
export function outsideOfBlocks({ name, call, frame }: BuiltinCall): boolean {
  if (frame.environment.generic) return true;
  if (frame.block === null && frame.builder.region === null) return true;
  const where = frame.block === null ? "a `mix`" : "a block of a chain";
  report(frame, messages.inputInBlock({ name, where }), [
    { span: call.span, text: "has one value for the whole model" },
  ]);
  return false;
}

/** Whether what a model of windows predicts is one value a window; reports it otherwise. */
export function ofWindow(call: BuiltinCall, parameter: string, id: ValueId): boolean {
  const { frame, given } = call;
  if (frame.environment.window === null || !isOfToken(frame.builder, id)) return true;
  report(
    frame,
    messages.wrongKind({
      what: `\`${parameter}\``,
      expected: "one value a window",
      found: "one a token",
    }),
    [{ span: given.get(parameter)!.span, text: "every token has one" }],
    "`all_tokens(x)` gives the values of all tokens as one",
  );
  return false;
}

const settled = { horizon: "horizon", tokens: "number of tokens in a window" } as const;

/** Settles a size that a window has one of; false when it is another one already (reported). */
export function settle(
  frame: Frame,
  window: WindowDraft,
  part: "horizon" | "tokens",
  size: number,
  span: Span,
): boolean {
  const known: Drafted | null = window[part];
  if (known === null) window[part] = { size, span };
  else if (known.size !== size) {
    report(
      frame,
      messages.windowMismatch({ what: settled[part], first: known.size, second: size }),
      [
        { span, text: `${size} here` },
        { span: known.span, text: `${known.size} here` },
      ],
    );
    return false;
  }
  return true;
}

/** Whether a value is one of each token. What is the same for all of them is not, nor is a window's. */
export function isOfToken(builder: GraphBuilder, id: ValueId): boolean {
  const inputs = new Set(builder.inputs.map(({ value }) => value)); // of a block: a token's
  const seen = new Set<ValueId>();
  const work = [id];
  for (let at = work.pop(); at !== undefined; at = work.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    if (inputs.has(at)) return true;
    const node = builder.producer(at);
    if (node === undefined) continue;
    switch (node.op) {
      case "source":
        if (node.attributes.along === "tokens") return true;
        break;
      case "patches":
      case "position":
      case "state":
      case "write":
      case "lag":
      case "conv":
      case "attend":
      case "call":
      case "mix":
        return true;
      case "all_tokens":
      case "token_mean":
        break;
      default:
        work.push(...node.inputs);
    }
  }
  return false;
}
