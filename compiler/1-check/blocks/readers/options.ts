/** The options of a call: `adamw(lr: 1e-4, decay: 0.1)`. */

import type { Argument, Setting, Span } from "../../../../grammar/ast.js";
import { messages } from "../../../diagnostics/messages.generated.js";
import { listed } from "../prose.js";
import { readSettings } from "../read.js";
import type { Reader, Site, Table, Values } from "../schema.js";
import { wrongKind } from "./wrong.js";

export function readOptions<T extends Table>(
  callee: string,
  options: T,
  given: readonly Argument[],
  span: Span,
  site: Site,
): Values<T> | undefined {
  const owner = {
    path: `${site.path}.`,
    span,
    separator: ":" as const,
    unknown: (name: string) => messages.unknownArgument({ callee, name }),
    duplicate: (name: string) => messages.duplicateArgument({ name }),
    missing: (keys: readonly string[]) => messages.missingArgument({ callee, names: listed(keys) }),
    damaged: false,
  };
  const keys = Object.keys(options);
  const known = given.filter(({ name }, i) => name !== null || i < keys.length);
  const extra = given.find((argument) => !known.includes(argument));
  const settings = settingsOf(known, keys);
  const { values } = readSettings(options, settings, owner, site.scope);
  if (!extra) return values ?? undefined;
  site.scope.reporter.report(messages.tooManyArguments({ callee, count: keys.length }), [
    { span: extra.span, text: "one too many" },
  ]);
  return undefined;
}

/** `"Call me"`, or `text("Call me", length: 300)`: the text is the first of the options. */
export function textWith<T extends Table>(callee: string, options: T): Reader<Values<T>> {
  const shown = Object.values(options)[0]!.form.usage("").trim();
  const takes = `a text in quotes, or \`${callee}(${shown}, …)\` with options`;
  return {
    takes,
    shown,
    choices: [{ word: callee, doc: "a text with options", options }],
    read: (value, site) => {
      if (value.kind === "call" && value.callee.name === callee)
        return readOptions(callee, options, value.arguments, value.span, site);
      if (value.kind !== "string") return wrongKind(value, takes, site);
      return readOptions(
        callee,
        options,
        [{ name: null, value, span: value.span }],
        value.span,
        site,
      );
    },
  };
}

/** Arguments as settings; those without a name are for the keys in their order. */
export function settingsOf(given: readonly Argument[], keys: readonly string[]): Setting[] {
  return given.map(({ name, value, span }, i) => ({
    kind: "setting",
    key: name ?? { name: keys[i]!, span },
    every: false,
    value,
    modifiers: [],
    span,
  }));
}
