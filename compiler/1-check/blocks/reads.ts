/** Whether a model reads what its data gives, and how: tokens, or windows of a series. */

import { messages } from "../../diagnostics/messages.generated.js";
import { type Model, timeOf } from "../model.js";
import type { Data } from "./data.js";
import { settingSpan } from "./lookup.js";
import type { Scope } from "./schema.js";
import type { Training } from "./training.js";
import { vocabularyFits } from "./vocabulary.js";

/** The data as a model reads it; of a pair that does not fit, what is needed to look at the rest. */
export function readBy(model: Model, data: Data): Pick<Training, "data" | "time"> {
  if (data.kind !== "series") return { data, time: data.seq };
  const { window } = model;
  const none = { lookback: 1, horizon: 1, channels: null, tokens: 1 };
  return { data: { ...data, ...(window ?? none) }, time: timeOf(model, 1) };
}

export function readsData(model: Model, data: Data, scope: Scope): boolean {
  const isSeries = data.kind === "series";
  if (isSeries !== (model.window !== null))
    return differs(model, data, scope, {
      reads: model.window ? "a series" : "tokens",
      gives: isSeries ? "a series" : "tokens",
    });
  return isSeries ? channelsFit(model, data, scope) : vocabularyFits(model, data, scope);
}

/** Columns that are not named are counted when the training starts. */
function channelsFit(model: Model, data: Data & { readonly kind: "series" }, scope: Scope) {
  const { columns } = data;
  const channels = model.window?.channels ?? null;
  if (columns === null || channels === null || columns.length === channels) return true;
  return differs(
    model,
    data,
    scope,
    { reads: `${channels} channels`, gives: `${columns.length} columns` },
    "columns",
  );
}

function differs(
  { name: model }: Model,
  { name: data }: Data,
  { places, reporter, declarations }: Scope,
  { reads, gives }: { readonly reads: string; readonly gives: string },
  key?: string,
): false {
  const source = key === undefined ? undefined : settingSpan(declarations, "data", data, key);
  reporter.report(messages.dataMismatch({ model, reads, data, gives }), [
    { span: places.get("model")!, text: `reads ${reads}` },
    { span: places.get("data")!, text: `gives ${gives}` },
    ...(source ? [{ span: source, text: gives }] : []),
  ]);
  return false;
}
