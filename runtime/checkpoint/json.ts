/**
 * A strict JSON reader for headers that come from strangers. Objects become `Map`s, so no key (`__proto__`,
 * `constructor`) is special, and a key that comes twice is a fault, where `JSON.parse` would keep the last one.
 */

export type Json = null | boolean | number | string | readonly Json[] | ReadonlyMap<string, Json>;

/** Why a text is not the JSON we take; `offset` counts characters from its start. */
export class JsonFault extends Error {
  constructor(
    readonly reason: string,
    readonly offset: number,
  ) {
    super(`${reason} at character ${offset}`);
  }
}

const MAXIMUM_DEPTH = 64;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LITERALS = [
  ["null", null],
  ["true", true],
  ["false", false],
] as const;

/** Reads one JSON value that fills `text`. @throws JsonFault */
export function readJson(text: string): Json {
  let at = 0;

  function match(pattern: RegExp): string | null {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) return null;
    at = pattern.lastIndex;
    return found[0];
  }

  /** Skips white space and then takes `mark` when it comes next. */
  function take(mark: string): boolean {
    match(SPACE);
    if (text[at] !== mark) return false;
    at++;
    return true;
  }

  function need(mark: string): void {
    if (!take(mark)) throw new JsonFault(`expected \`${mark}\``, at);
  }

  function string(): string {
    match(SPACE);
    const start = at;
    if (text[at] !== '"') throw new JsonFault("expected a string", at);
    let escaped = false;
    for (at++; text[at] !== '"'; at++) {
      if (at >= text.length) throw new JsonFault("a string without its end", start);
      if (text[at]! < " ") throw new JsonFault("a bare control character in a string", at);
      if (text[at] === "\\") {
        escaped = true;
        at++;
      }
    }
    at++;
    if (!escaped) return text.slice(start + 1, at - 1);
    try {
      return JSON.parse(text.slice(start, at)) as string;
    } catch {
      throw new JsonFault("a string with a bad escape", start);
    }
  }

  function value(depth: number): Json {
    if (depth > MAXIMUM_DEPTH)
      throw new JsonFault(`nested deeper than ${MAXIMUM_DEPTH} levels`, at);
    if (take("{")) return object(depth);
    if (take("[")) return array(depth);
    if (text[at] === '"') return string();
    for (const [word, meaning] of LITERALS) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return meaning;
      }
    }
    const digits = match(NUMBER);
    if (digits === null) throw new JsonFault("expected a value", at);
    return Number(digits);
  }

  function object(depth: number): Json {
    const members = new Map<string, Json>();
    if (take("}")) return members;
    do {
      const start = at;
      const key = string();
      if (members.has(key))
        throw new JsonFault(`the key ${JSON.stringify(key.slice(0, 80))} comes twice`, start);
      need(":");
      members.set(key, value(depth + 1));
    } while (take(","));
    need("}");
    return members;
  }

  function array(depth: number): Json {
    const items: Json[] = [];
    if (take("]")) return items;
    do items.push(value(depth + 1));
    while (take(","));
    need("]");
    return items;
  }

  const result = value(0);
  match(SPACE);
  if (at !== text.length) throw new JsonFault("something follows the end", at);
  return result;
}
