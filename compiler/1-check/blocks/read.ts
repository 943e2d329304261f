/** Reads settings, or the arguments of a call, against their table; every mistake is reported. */

import type { Identifier, Setting, Span } from "../../../grammar/ast.js";
import type { Message } from "../../diagnostics/diagnostic.js";
import { suggest } from "../../diagnostics/suggest.js";
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
  readonly missing: (key: string) => Message;
}

export function readSettings<T extends Table>(
  table: T,
  settings: readonly Setting[],
  owner: Owner,
  scope: Scope,
): Reading<T> {
  const { reporter, places } = scope;
  const usage = (key: string, row: Row<unknown>): string => row.form.usage(key + owner.separator);
  const first = new Map<string, Identifier>();
  const values = new Map<string, unknown>();
  let failed = false;
  for (const setting of settings) {
    const { name, span } = setting.key;
    const row = rowOf(table, name);
    const earlier = first.get(name);
    if (!row) {
      failed = true;
      reporter.report(owner.unknown(name), [{ span, text: "not known" }], knownKeys(name, table));
    } else if (earlier && !isList(row)) {
      failed = true;
      reporter.report(owner.duplicate(name), [
        { span, text: "again here" },
        { span: earlier.span, text: "first here" },
      ]);
    } else {
      first.set(name, setting.key);
      const path = owner.path + name;
      if (!places.has(path)) places.set(path, setting.value?.span ?? setting.span);
      const use = usage(name, row);
      const site = { name: `\`${name}\``, path, usage: use, help: `\`${use}\`: ${row.doc}`, scope };
      const value = row.form.read(setting, site);
      if (value === undefined) failed = true;
      else
        values.set(
          name,
          isList(row) ? [...((values.get(name) as unknown[] | undefined) ?? []), value] : value,
        );
    }
  }
  for (const [key, row] of Object.entries(table)) {
    if (first.has(key)) continue;
    if (row.need === "required" || row.need === "some") {
      failed = true;
      reporter.report(
        owner.missing(key),
        [{ span: owner.span, text: `\`${key}\` is missing` }],
        `for example \`${usage(key, row)}\`: ${row.doc}`,
      );
    } else values.set(key, row.otherwise);
  }
  const partial = Object.fromEntries(values) as Partial<Values<T>>;
  return { values: failed ? null : (partial as Values<T>), partial };
}

const isList = ({ need }: Row<unknown>): boolean => need === "several" || need === "some";

const rowOf = (table: Table, key: string): Row<unknown> | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

function knownKeys(key: string, table: Table): string | null {
  const keys = Object.keys(table);
  const near = suggest(key, keys);
  if (near !== null) return `did you mean \`${near}\`?`;
  return keys.length > 0 ? `there are ${keys.map((known) => `\`${known}\``).join(", ")}` : null;
}
