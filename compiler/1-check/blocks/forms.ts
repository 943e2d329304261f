/** The forms a setting can have, and the rows that tables are made of. */

import type { Expression, Modifier, Setting } from "../../../grammar/ast.js";
import { messages } from "../../diagnostics/messages.generated.js";
import type { Choice, Form, Reader, Row, Site } from "./schema.js";

export const required = <T>(of: Reader<T> | Form<T>, doc: string): Row<T> => ({
  form: asForm(of),
  need: "required",
  otherwise: undefined,
  doc,
});

export const optional = <T>(of: Reader<T> | Form<T>, doc: string): Row<T | null> => ({
  form: asForm(of),
  need: "optional",
  otherwise: null,
  doc,
});

export const otherwise = <T>(of: Reader<T> | Form<T>, value: T, doc: string): Row<T> => ({
  form: asForm(of),
  need: "optional",
  otherwise: value,
  doc,
});

/** A key that may be given any number of times. */
export const several = <T>(of: Reader<T> | Form<T>, doc: string): Row<readonly T[]> => ({
  form: asForm(of),
  need: "several",
  otherwise: [],
  doc,
});

/** A key that must be given once or more. */
export const some = <T>(of: Reader<T> | Form<T>, doc: string): Row<readonly T[]> => ({
  form: asForm(of),
  need: "some",
  otherwise: undefined,
  doc,
});

const asForm = <T>(of: Reader<T> | Form<T>): Form<T> => ("usage" in of ? of : valued(of, false));

/** `checkpoint every N` */
export const every = <T>(reader: Reader<T>): Form<T> => valued(reader, true);

function valued<T>(reader: Reader<T>, every: boolean): Form<T> {
  const usage = (key: string): string => `${key} ${every ? "every " : ""}${reader.shown}`;
  return {
    usage,
    takes: reader.takes,
    choices: reader.choices ?? [],
    read: (setting, site) => {
      if (!onlyModifiers(setting, [], usage(setting.key.name), site)) return undefined;
      const value = valueOf(setting, every, usage(setting.key.name), site);
      return value && reader.read(value, site);
    },
  };
}

/** The word of a placement: `over cp`, `by lasp2`. */
export type Word = Modifier["word"];
type Parts = Readonly<Partial<Record<Word, Part<unknown>>>>;
export interface Part<T> {
  readonly reader: Reader<T>;
  readonly otherwise: T | undefined; // undefined: it must be given
}
type PartValues<P extends Parts> = {
  readonly [W in keyof P]: P[W] extends Part<infer T> ? T : never;
};

/** `sequence over cp by lasp2`: no value, but parts that begin with words. */
export function placement<P extends Parts>(parts: P): Form<PartValues<P>> {
  const words = Object.entries(parts) as [Word, Part<unknown>][];
  const usage = (key: string): string =>
    `${key} ${words.map(([word, { reader }]) => `${word} ${reader.shown}`).join(" ")}`;
  return {
    usage,
    takes: words.map(([word, { reader }]) => `\`${word}\` ${reader.takes}`).join(", "),
    choices: words.flatMap(([, { reader }]) => reader.choices ?? []),
    read: (setting, site) => {
      const written = usage(setting.key.name);
      if (setting.value !== null) {
        if (setting.value.kind !== "error") stray(setting.value, "a value", written, site);
        return undefined;
      }
      return readParts(setting, words, written, site) as PartValues<P> | undefined;
    },
  };
}

/** `replace A with B`: a value, and one part behind it. */
export function pair<A, B>(
  first: Reader<A>,
  word: Word,
  second: Reader<B>,
): Form<{ readonly value: A; readonly other: B }> {
  const usage = (key: string): string => `${key} ${first.shown} ${word} ${second.shown}`;
  return {
    usage,
    takes: `${first.takes} \`${word}\` ${second.takes}`,
    choices: [...(first.choices ?? []), ...(second.choices ?? [])] satisfies Choice[],
    read: (setting, site) => {
      const written = usage(setting.key.name);
      const expression = valueOf(setting, false, written, site);
      const parts = readParts(
        setting,
        [[word, { reader: second, otherwise: undefined }]],
        written,
        site,
      );
      const value = expression && first.read(expression, site);
      return value === undefined || parts === undefined
        ? undefined
        : { value, other: parts[word] as B };
    },
  };
}

function readParts(
  setting: Setting,
  words: readonly [Word, Part<unknown>][],
  usage: string,
  site: Site,
): Record<string, unknown> | undefined {
  if (
    !onlyModifiers(
      setting,
      words.map(([word]) => word),
      usage,
      site,
    )
  )
    return undefined;
  const values: Record<string, unknown> = {};
  let failed = false;
  for (const [word, { reader, otherwise }] of words) {
    const given = setting.modifiers.find((modifier) => modifier.word === word);
    if (given) {
      const path = `${site.path}.${word}`;
      site.scope.places.set(path, given.value.span);
      values[word] = reader.read(given.value, { ...site, name: `${site.name} ${word}`, path });
    } else {
      values[word] = otherwise;
      if (otherwise === undefined) missing(setting, `\`${word}\``, usage, site);
    }
    failed ||= values[word] === undefined;
  }
  return failed ? undefined : values;
}

function valueOf(
  setting: Setting,
  every: boolean,
  usage: string,
  site: Site,
): Expression | undefined {
  const { value } = setting;
  if (value === null) missing(setting, "a value", usage, site);
  else if (value.kind === "error")
    return undefined; // the parser has said why
  else if (every && !setting.every) missing(setting, "`every`", usage, site);
  else if (!every && setting.every) stray(setting.value!, "`every`", usage, site);
  else return value;
  return undefined;
}

function onlyModifiers(
  setting: Setting,
  words: readonly Word[],
  usage: string,
  site: Site,
): boolean {
  const seen = new Set<Word>();
  for (const { word, span } of setting.modifiers) {
    if (!words.includes(word) || seen.has(word)) {
      const what = seen.has(word) ? `a second \`${word}\`` : `\`${word}\``;
      site.scope.reporter.report(
        messages.strayPart({ key: site.name, part: what }),
        [{ span, text: "not here" }],
        `write \`${usage}\``,
      );
      return false;
    }
    seen.add(word);
  }
  return true;
}

function missing(setting: Setting, part: string, usage: string, site: Site): void {
  site.scope.reporter.report(
    messages.missingPart({ key: site.name, part }),
    [{ span: setting.span, text: "" }],
    `write \`${usage}\``,
  );
}

function stray(at: Expression, part: string, usage: string, site: Site): void {
  site.scope.reporter.report(
    messages.strayPart({ key: site.name, part }),
    [{ span: at.span, text: "not here" }],
    `write \`${usage}\``,
  );
}
