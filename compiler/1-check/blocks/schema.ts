/**
 * What a block may say, as a table: one row a key with the form of its value, what stands for it when it
 * is left out, and a line of documentation. Checking, types, completion and reference all come from it.
 */

import type { Expression, Setting, Span } from "../../../grammar/ast.js";
import type { Reporter } from "../../diagnostics/report.js";
import type { Declarations } from "../declarations.js";

/** What reading needs beside the text: who to tell, what is declared, and where each value was found. */
export interface Scope {
  readonly reporter: Reporter;
  readonly declarations: Declarations;
  /** The place of every value that is written out, by its path: `schedule`, `schedule.warmup`. */
  readonly places: Map<string, Span>;
}

/** The value being read. */
export interface Site {
  readonly name: string; // how messages call it
  readonly path: string; // where `places` keeps it
  readonly usage: string; // `seq N`
  readonly help: string; // "`seq N`: tokens in one sequence"
  readonly scope: Scope;
}

/** One of the words that a value can be, or that it can begin with. */
export interface Choice {
  readonly word: string;
  readonly doc: string;
  readonly options: Table | null; // of `adamw(lr: …)`
}

/** Reads one kind of value. `undefined` when it is wrong, which `read` has then reported. */
export interface Reader<T> {
  readonly takes: string; // "a whole number from 1 on"
  readonly shown: string; // in a usage line: `N`
  readonly choices?: readonly Choice[];
  readonly read: (value: Expression, site: Site) => T | undefined;
}

/** Reads a whole setting: a value, `every` and a value, a placement. */
export interface Form<T> {
  readonly usage: (key: string) => string; // `checkpoint every N`
  readonly takes: string;
  readonly choices: readonly Choice[];
  readonly read: (setting: Setting, site: Site) => T | undefined;
}

export type Need = "required" | "optional" | "some"; // some: once or more

export interface Row<V> {
  readonly form: Form<unknown>;
  readonly need: Need;
  readonly or: readonly string[]; // other keys that stand in for this one, and exclude it
  readonly otherwise: V | undefined; // the value of a key that is left out
  readonly doc: string;
}

export type Table = Readonly<Record<string, Row<unknown>>>;

/** What a table's settings come to, by key. */
export type Values<T extends Table> = {
  readonly [K in keyof T]: T[K] extends Row<infer V> ? V : never;
};
