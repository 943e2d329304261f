/** Reads settings, or the arguments of a call, against their table; every mistake is reported. */

import type { Identifier, Setting, Span } from "../../../grammar/ast.js";
import type { Message } from "../../diagnostics/diagnostic.js";
import { instead, suggest } from "../../diagnostics/suggest.js";
import { exclude } from "./exclusive.js";
import { listed } from "./prose.js";
import type { Row, Scope, Table, Values } from "./schema.js";

export interface Reading<T extends Table> {
  /** Null when anything was wrong. */
  readonly values: Values<T> | null;
  /** What could be read, and what stands for what was left out: later checks report on it all the same. */
  readonly partial: Partial<Values<T>>;
}

/** Whose settings these are, and how their mistakes are called. */
export interface Owner {
  readonly path: string; // before a key: "", `schedule.`
  readonly span: Span; // where a missing key is missing
  readonly separator: "" | ":"; // between a key and its value
  readonly unknown: (key: string) => Message;
  readonly duplicate: (key: string) => Message;
  readonly missing: (keys: readonly string[]) => Message;
  /** Syntax errors lie inside: what seems to be missing may have been written. */
  readonly damaged: boolean;
}

export function readSettings<T extends Table>(
  table: T,
  settings: readonly Setting[],
  owner: Owner,
  scope: Scope,
): Reading<T> {
  const { reporter } = scope;
  const first = new Map<string, Identifier>();
  const meant = new Set<string>(); // keys that were given, under a mistyped name
  const values = new Map<string, unknown[]>();
  let failed = false;
  for (const setting of settings) {
    const { name, span } = setting.key;
    const row = rowOf(table, name);
    const earlier = first.get(name);
    if (row && (!earlier || row.need === "some")) {
      if (!earlier) first.set(name, setting.key);
      const value = readKey(setting, row, owner, scope);
      if (value !== undefined) values.set(name, [...(values.get(name) ?? []), value]);
      failed ||= value === undefined;
      continue;
    }
    failed = true;
    if (earlier) {
      const places = [
        { span, text: "again here" },
        { span: earlier.span, text: "first here" },
      ];
      reporter.report(owner.duplicate(name), places);
    } else {
      const near = suggest(name, Object.keys(table));
      if (near !== null) meant.add(near);
      const help = near === null ? knownKeys(table) : instead(near, span);
      reporter.report(owner.unknown(name), [{ span, text: "not known" }], help);
    }
  }
  const present = (key: string): boolean => first.has(key) || meant.has(key);
  const missing: string[] = [];
  for (const [key, { need, or }] of Object.entries(table)) {
    const others = first.has(key) ? or.filter((other) => first.has(other)) : [];
    for (const other of others) failed = !exclude(other, [key], scope) || failed;
    if (need !== "optional" && ![key, ...or].some(present)) missing.push(key);
  }
  if (missing.length > 0 && !owner.damaged) reportMissing(table, missing, owner, scope);
  failed ||= missing.length > 0 || meant.size > 0;
  const partial = Object.fromEntries(
    Object.entries(table).flatMap(([key, { need, otherwise }]) => {
      const given = values.get(key);
      if (given) return [[key, need === "some" ? given : given[0]]];
      return first.has(key) || otherwise === undefined ? [] : [[key, otherwise]];
    }),
  ) as Partial<Values<T>>;
  return { values: failed ? null : (partial as Values<T>), partial };
}

function readKey(setting: Setting, row: Row<unknown>, owner: Owner, scope: Scope): unknown {
  const { name } = setting.key;
  const path = owner.path + name;
  if (!scope.places.has(path)) scope.places.set(path, setting.value?.span ?? setting.span);
  const usage = row.form.usage(name + owner.separator);
  const site = { name: `\`${name}\``, path, usage, help: `\`${usage}\`: ${row.doc}`, scope };
  return row.form.read(setting, site);
}

/** Everything that is missing is one mistake, at one place. */
function reportMissing(
  table: Table,
  missing: readonly string[],
  owner: Owner,
  { reporter }: Scope,
): void {
  const keys = missing.map((key) => {
    const { or } = table[key]!;
    if (or.length === 0) return `\`${key}\``;
    return `\`${key}\` (or ${listed(
      or.map((other) => `\`${other}\``),
      "or",
    )})`;
  });
  const examples = missing.map((key) => `\`${table[key]!.form.usage(key + owner.separator)}\``);
  const one = missing.length === 1;
  const doc = one ? `: ${table[missing[0]!]!.doc}` : "";
  const labels = [{ span: owner.span, text: one ? "it is missing" : "they are missing" }];
  reporter.report(owner.missing(keys), labels, `for example ${listed(examples)}${doc}`);
}

const rowOf = (table: Table, key: string): Row<unknown> | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

function knownKeys(table: Table): string | null {
  const keys = Object.keys(table).map((known) => `\`${known}\``);
  return keys.length > 0 ? `there are ${listed(keys)}` : null;
}
