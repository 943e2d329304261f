/**
 * What checks of one program, before and after an edit, have in common: the library's syntax trees, the
 * declarations whose text has stayed the same, and what they came to. Editors check at every keystroke; most
 * of the work then is in declarations that nobody has touched.
 *
 * A declaration that stays keeps its tree, whose places are those of the text it was read from. So every text
 * that is read has a source of its own (`model.lsm`, then `model.lsm` with a number behind a NUL), and `place`
 * says where something is by now.
 */

import type { Item, LayerDeclaration, SourceFile, Span } from "../../grammar/ast.js";
import { parse } from "../../grammar/parse.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { Reporter } from "../diagnostics/report.js";
import type { Declarations } from "./declarations.js";
import type { Budget } from "./elaborate/budget.js";
import { type Reading, damagedItems } from "./reading.js";
import { Watch } from "./watch.js";

/** A text as it was read last. */
interface Revision extends Reading {
  readonly path: string;
  readonly source: string; // of the places of new items
  readonly text: string;
  /** Where each item begins now: those that were kept say where they began once. */
  readonly starts: ReadonlyMap<Item, number>;
}

/** What a declaration came to, and what it depended on. */
interface Entry<T> {
  readonly value: T;
  readonly watch: Watch;
  readonly diagnostics: readonly Diagnostic[];
  readonly spent: number;
  readonly used: ReadonlyMap<string, LayerDeclaration | undefined>;
  /** All names there were, where they mattered; null where they did not. */
  readonly names: string | null;
}

export class Memory {
  private readonly revisions = new Map<string, Revision>();
  private readonly library = new Map<
    string,
    { readonly text: string; readonly file: SourceFile }
  >();
  private readonly entries = new WeakMap<Item, Entry<unknown>>();
  private count = 0;

  /** Parses a text; items that were in its last revision are the same objects again. */
  readonly read = (text: string, path: string): Reading => {
    const last = this.revisions.get(path);
    if (last?.text === text) return last;
    const source = last ? `${path}\0${++this.count}` : path;
    const { file, diagnostics } = parse(text, source);
    const damaged = new Set<Item>(damagedItems(file, diagnostics));
    const kept = last ? keptItems(last) : new Map<string, Item[]>();
    const starts = new Map<Item, number>();
    const items = file.items.map((item) => {
      const same = damaged.has(item) ? undefined : kept.get(identity(item, text))?.shift();
      starts.set(same ?? item, item.span.start);
      return same ?? item;
    });
    const revision = { path, source, text, file: { ...file, items }, diagnostics, damaged, starts };
    this.revisions.set(path, revision);
    return revision;
  };

  /** Parses a file of the library, once. */
  readonly readLibrary = (text: string, path: string): SourceFile => {
    const known = this.library.get(path);
    if (known?.text === text) return known.file;
    const { file } = parse(text, path);
    this.library.set(path, { text, file });
    return file;
  };

  /** What `run` says of a declaration: as before, when nothing that it depends on has changed. */
  elaborate<T>(
    item: Item,
    declarations: Declarations,
    reporter: Reporter,
    budget: Budget,
    run: (declarations: Declarations, reporter: Reporter, watch: Watch | null) => T,
  ): T {
    const known = this.entries.get(item) as Entry<T> | undefined;
    if (known && stillTrue(known, declarations) && budget.charge(known.spent)) {
      reporter.addAll(known.diagnostics);
      return known.value;
    }
    const used = new Map<string, LayerDeclaration | undefined>();
    let names: string | null = null;
    const { layers } = declarations;
    const recorded: Declarations = {
      ...declarations,
      layers: {
        get: (name) => {
          const layer = layers.get(name);
          used.set(name, layer);
          return layer;
        },
        has: (name) => recorded.layers.get(name) !== undefined,
        keys: () => {
          names = layers.keys().join();
          return layers.keys();
        },
      },
    };
    const own = new Reporter();
    const watch = new Watch();
    const before = budget.spent;
    const value = run(recorded, own, watch);
    const { diagnostics } = own;
    reporter.addAll(diagnostics);
    const entry: Entry<T> = {
      value,
      watch,
      diagnostics,
      spent: budget.spent - before,
      used,
      names,
    };
    if (budget.exhausted) this.entries.delete(item);
    else this.entries.set(item, entry);
    return value;
  }

  /** What was seen while a declaration was elaborated. */
  watchOf(item: Item): Watch | undefined {
    return this.entries.get(item)?.watch;
  }

  /** Where a place is by now. */
  place(span: Span): Span {
    const path = span.source.split("\0", 1)[0]!;
    const revision = this.revisions.get(path);
    if (!revision) return span;
    for (const [item, start] of revision.starts) {
      const { source, start: from, end: to } = item.span;
      if (source !== span.source || span.start < from || to < span.end) continue;
      const by = start - from;
      return { source: path, start: span.start + by, end: span.end + by };
    }
    return { ...span, source: path };
  }

  /** The item at an offset of the text as it is now, and how far its own places are behind. */
  itemAt(path: string, offset: number): { readonly item: Item; readonly by: number } | null {
    for (const [item, start] of this.revisions.get(path)?.starts ?? []) {
      const by = start - item.span.start;
      if (start <= offset && offset <= item.span.end + by) return { item, by };
    }
    return null;
  }

  placed(diagnostic: Diagnostic): Diagnostic {
    const labels = diagnostic.labels.map((label) => ({ ...label, span: this.place(label.span) }));
    const { edit } = diagnostic;
    return {
      ...diagnostic,
      labels,
      ...(edit ? { edit: { ...edit, span: this.place(edit.span) } } : {}),
    };
  }
}

/** The sound items of a revision by all that makes them what they are. */
function keptItems({ file, text, starts, damaged }: Revision): Map<string, Item[]> {
  const found = new Map<string, Item[]>();
  for (const item of file.items) {
    if (damaged.has(item)) continue;
    const key = identity(item, text, starts.get(item));
    const present = found.get(key);
    if (present) present.push(item);
    else found.set(key, [item]);
  }
  return found;
}

function identity(item: Item, text: string, start = item.span.start): string {
  const { span, kind } = item;
  const doc = "doc" in item ? item.doc : null;
  return `${kind}\0${doc}\0${text.slice(start, start + span.end - span.start)}`;
}

function stillTrue({ used, names }: Entry<unknown>, { layers }: Declarations): boolean {
  for (const [name, layer] of used) if (layers.get(name) !== layer) return false;
  return names === null || names === layers.keys().join();
}
