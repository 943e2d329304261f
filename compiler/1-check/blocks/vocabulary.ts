/** Whether a model has an id for every token of its data. */

import { messages } from "../../diagnostics/messages.generated.js";
import type { Model } from "../model.js";
import type { Data } from "./data.js";
import { settingSpan } from "./lookup.js";
import type { Scope } from "./schema.js";

/** A tokenizer.json is not read here: its vocabulary is known when the training starts. */
export function vocabularyFits(
  model: Model,
  data: Data,
  { places, reporter, declarations }: Scope,
): boolean {
  if (data.kind === "series") return true;
  const needed = data.kind === "mqar" ? data.vocab! : data.tokenizer === "bytes" ? 256 : 0;
  if (needed === 0 || (model.vocabulary !== null && model.vocabulary >= needed)) return true;
  const has = model.vocabulary === null ? "no tokens" : `${model.vocabulary} ids`;
  const source = settingSpan(
    declarations,
    "data",
    data.name,
    data.kind === "mqar" ? "generate" : "tokenizer",
  );
  reporter.report(
    messages.vocabularyMismatch({ model: model.name, has, data: data.name, needed }),
    [
      { span: places.get("model")!, text: `this model has ${has}` },
      { span: places.get("data")!, text: `this data has ${needed} ids` },
      ...(source ? [{ span: source, text: `${needed} ids` }] : []),
    ],
  );
  return false;
}
