/** Settings with words: `sequence over cp by lasp2`, `replace Attention with GLA`. */

import type { Setting } from "../../../grammar/ast.js";
import { type Word, missing, stray, valueOf, wordsFit } from "./parts.js";
import type { Form, Reader, Site } from "./schema.js";

export interface Part<T> {
  readonly reader: Reader<T>;
  readonly otherwise: T | undefined; // undefined: it must be given
}

type Parts = Readonly<Partial<Record<Word, Part<unknown>>>>;

type PartValues<P extends Parts> = {
  readonly [W in keyof P]: P[W] extends Part<infer T> ? T : never;
};

/** `sequence over cp by lasp2`: no value, but parts that begin with words. */
export function placement<P extends Parts>(parts: P): Form<PartValues<P>> {
  const words = Object.entries(parts) as [Word, Part<unknown>][];
  return {
    usage: (key) =>
      [key, ...words.map(([word, { reader }]) => `${word} ${reader.shown}`)].join(" "),
    takes: words.map(([word, { reader }]) => `\`${word}\` ${reader.takes}`).join(", "),
    choices: words.flatMap(([, { reader }]) => reader.choices ?? []),
    read: (setting, site) => {
      if (setting.value?.kind === "error") return undefined;
      if (setting.value === null)
        return readParts(setting, words, site) as PartValues<P> | undefined;
      stray(setting.value.span, "value", site);
      return undefined;
    },
  };
}

/** `replace A with B`: a value, and one part behind it. */
export function pair<A, B>(
  first: Reader<A>,
  word: Word,
  second: Reader<B>,
): Form<{ readonly value: A; readonly other: B }> {
  return {
    usage: (key) => `${key} ${first.shown} ${word} ${second.shown}`,
    takes: `${first.takes} \`${word}\` ${second.takes}`,
    choices: [...(first.choices ?? []), ...(second.choices ?? [])],
    read: (setting, site) => {
      const expression = valueOf(setting, false, site);
      const parts = readParts(setting, [[word, { reader: second, otherwise: undefined }]], site);
      const value = expression && first.read(expression, site);
      return value === undefined || !parts ? undefined : { value, other: parts[word] as B };
    },
  };
}

function readParts(
  setting: Setting,
  parts: readonly (readonly [Word, Part<unknown>])[],
  site: Site,
): Readonly<Record<string, unknown>> | undefined {
  const words = parts.map(([word]) => word);
  if (!wordsFit(setting, words, site)) return undefined;
  const values = parts.map(([word, { reader, otherwise }]) => {
    const given = setting.modifiers.find((modifier) => modifier.word === word);
    if (!given) {
      if (otherwise === undefined) missing(setting, `\`${word}\``, site);
      return otherwise;
    }
    const path = `${site.path}.${word}`;
    site.scope.places.set(path, given.value.span);
    return reader.read(given.value, { ...site, name: `\`${setting.key.name} ${word}\``, path });
  });
  if (values.includes(undefined)) return undefined;
  return Object.fromEntries(words.map((word, i) => [word, values[i]]));
}
