/** Texts in quotes, truth values, and several values in brackets. */

import type { Expression } from "../../../../grammar/ast.js";
import type { Reader } from "../schema.js";
import { outOfRange, wrongKind } from "./wrong.js";

/** A text that is not empty. */
export function text(shown: string): Reader<string> {
  const takes = "a text in quotes";
  return {
    takes,
    shown: `"${shown}"`,
    read: (value, site) => {
      if (value.kind !== "string") return wrongKind(value, takes, site);
      if (value.value.trim() !== "") return value.value;
      return outOfRange(value, "a text with something in it", "an empty one", site);
    },
  };
}

export const truth: Reader<boolean> = {
  takes: "`true` or `false`",
  shown: "true",
  choices: ["true", "false"].map((word) => ({ word, doc: "", options: null })),
  read: (value, site) =>
    value.kind === "name" && (value.name === "true" || value.name === "false")
      ? value.name === "true"
      : wrongKind(value, truth.takes, site),
};

/** `(0.9, 0.95)`: two values of one kind. */
export function two<T>(each: Reader<T>): Reader<readonly [T, T]> {
  const takes = `two values in parentheses, each ${each.takes}`;
  return {
    takes,
    shown: `(${each.shown}, ${each.shown})`,
    read: (value, site) => {
      const items = itemsOf(value);
      if (items?.length !== 2) return wrongKind(value, takes, site);
      const [first, second] = items.map((item) => each.read(item, site));
      return first === undefined || second === undefined ? undefined : [first, second];
    },
  };
}

/** `[q, k, v]`: names, at least one; each with its place under `path.index`. */
export const names: Reader<readonly string[]> = {
  takes: "a list of names",
  shown: "[q, k, v]",
  read: (value, site) => {
    const items = value.kind === "name" ? [value] : itemsOf(value);
    if (!items || items.length === 0) return wrongKind(value, names.takes, site);
    const read = items.map((item, i) => {
      site.scope.places.set(`${site.path}.${i}`, item.span);
      return item.kind === "name" ? item.name : wrongKind(item, "a name", site);
    });
    return read.every((name) => name !== undefined) ? read : undefined;
  },
};

/** `[temperature, "wind speed"]`: names or texts, at least one. */
export const titles: Reader<readonly string[]> = {
  takes: "a list of names or texts",
  shown: "[a, b]",
  read: (value, site) => {
    const items = itemsOf(value) ?? [value];
    if (items.length === 0) return outOfRange(value, "one name or more", "an empty list", site);
    const read = items.map((item, i) => {
      site.scope.places.set(`${site.path}.${i}`, item.span);
      if (item.kind === "string") return item.value;
      return item.kind === "name" ? item.name : wrongKind(item, "a name or a text", site);
    });
    return read.every((title) => title !== undefined) ? read : undefined;
  },
};

function itemsOf(value: Expression): Expression[] | undefined {
  if (value.kind === "axes" && value.entries.every(({ spread, size }) => !spread && size === null))
    return value.entries.map((entry) => entry.value);
  if (value.kind === "pairs" && value.entries.every(({ name }) => name === null))
    return value.entries.map((entry) => entry.value);
  return undefined;
}

/** One of two kinds of value; `first` takes names, `second` all else. */
export function either<A, B>(first: Reader<A>, second: Reader<B>): Reader<A | B> {
  const takes = `${first.takes}, or ${second.takes}`;
  return {
    takes,
    shown: first.shown,
    choices: [...(first.choices ?? []), ...(second.choices ?? [])],
    read: (value, site) => {
      if (value.kind === "name" || value.kind === "call") return first.read(value, site);
      return value.kind === "string" ? second.read(value, site) : wrongKind(value, takes, site);
    },
  };
}
