/** From a model's config.json to the program that it is here. */

import { RunError } from "../../runtime/run/errors.js";
import type { Settings } from "./settings.js";
import { models as fla } from "./fla/models.js";
import { notEqual } from "./fla/not-equal.js";
import type { Foreign, ModelOf } from "./frame.js";
import { models as transformers } from "./transformers/models.js";

/** By `model_type`. */
export const models: Readonly<Record<string, ModelOf>> = { ...fla, ...transformers };

/** Tensors that hold no weights of their own. */
export const ignored = /\.(?:rotary|rotary_emb)\.inv_freq$/;

/**
 * The model of a configuration.
 *
 * @param tensors the names of its tensors
 * @throws RunError `import-unknown` where no layer of ours is equal, `import-not-equal` where a setting makes it so
 */
export function foreignModel(settings: Settings, tensors: ReadonlySet<string>): Foreign {
  const type = settings.get("model_type");
  const found = typeof type === "string" && Object.hasOwn(models, type) ? models[type] : undefined;
  if (found) {
    const tied = settings.get("tie_word_embeddings") === true || !tensors.has("lm_head.weight");
    return found(settings, tied);
  }
  const why = typeof type === "string" && Object.hasOwn(notEqual, type) ? notEqual[type] : null;
  throw new RunError({
    code: "import-unknown",
    what: `\`model_type\` is ${JSON.stringify(type ?? null)}: ${why ?? "no model here is equal to it"}`,
    where: settings.where,
    help: `equal are ${Object.keys(models).join(", ")}`,
  });
}

/** config.json as it is written: Python also writes `Infinity` and `NaN`. */
export function parseConfig(text: string, where: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text.replace(/([[:,]\s*)-?(?:Infinity|NaN)\b/g, "$1null"));
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Readonly<Record<string, unknown>>;
  } catch {
    // said below
  }
  throw new RunError({
    code: "import-config",
    what: "config.json is no JSON object",
    where,
    help: "give the folder as `save_pretrained` wrote it",
  });
}
