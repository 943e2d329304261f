/** Reads settings, or the arguments of a call, against their table; every mistake is reported. */

import type { Identifier, Setting, Span } from "../../../grammar/ast.js";
import type { Message } from "../../diagnostics/diagnostic.js";
import { suggest } from "../../diagnostics/suggest.js";
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
  const { reporter, places } = scope;
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
      const use = row.form.usage(name + owner.separator);
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
  const missing: string[] = [];
  for (const [key, row] of Object.entries(table)) {
    const { need, or } = row;
    if (first.has(key)) {
      if (or !== null && first.has(or)) failed = !exclude(or, [key], scope);
    } else if (need === "optional" || (or !== null && first.has(or)))
      values.set(key, row.otherwise);
    else missing.push(key);
  }
  if (missing.length > 0) {
    failed = true;
    if (!owner.damaged) reportMissing(table, missing, owner, scope);
  }
  const inOrder = Object.keys(table).filter((key) => values.has(key));
  const partial = Object.fromEntries(inOrder.map((key) => [key, values.get(key)])) as Partial<
    Values<T>
  >;
  return { values: failed ? null : (partial as Values<T>), partial };
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
    return or === null ? `\`${key}\`` : `\`${key}\` (or \`${or}\`)`;
  });
  const examples = missing.map((key) => `\`${table[key]!.form.usage(key + owner.separator)}\``);
  const one = missing.length === 1;
  const doc = one ? `: ${table[missing[0]!]!.doc}` : "";
  const labels = [{ span: owner.span, text: one ? "it is missing" : "they are missing" }];
  reporter.report(owner.missing(keys), labels, `for example ${listed(examples)}${doc}`);
}

const isList = ({ need }: Row<unknown>): boolean => need === "some";

const rowOf = (table: Table, key: string): Row<unknown> | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

function knownKeys(key: string, table: Table): string | null {
  const keys = Object.keys(table);
  const near = suggest(key, keys);
  if (near !== null) return `did you mean \`${near}\`?`;
  return keys.length > 0 ? `there are ${listed(keys.map((known) => `\`${known}\``))}` : null;
}
