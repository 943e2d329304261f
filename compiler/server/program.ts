/**
 * One checked program as editors ask about it: by places in its texts. Its items keep the places they were
 * read at (see 1-check/memory.ts); everything in `server/` works in those, and translates at its borders.
 */

import { type Position, type Range, TextDocument } from "vscode-languageserver-textdocument";
import type { Location } from "vscode-languageserver-types";
import type { Checked } from "../1-check/check.js";
import type { Memory } from "../1-check/memory.js";
import type { Watch } from "../1-check/watch.js";
import type { Item, SourceFile, Span } from "../../grammar/ast.js";
import { type Occurrence, occurrencesIn } from "./names/bind.js";
import { type Syntax, nodesAt } from "./names/syntax.js";
import { type Host, HostError } from "../host.js";
import type { Uris } from "./workspace.js";

/** A place in an item, in the item's own offsets. */
export interface Spot {
  readonly item: Item;
  readonly offset: number;
}

export class Program {
  readonly path: string;
  private readonly documents = new Map<string, TextDocument>();

  constructor(
    readonly checked: Checked,
    readonly memory: Memory,
    private readonly uris: Uris,
    private readonly host: Host,
  ) {
    this.path = checked.path;
  }

  /** The program's own text, as the check saw it. */
  get text(): string {
    return this.checked.text;
  }

  get file(): SourceFile {
    return this.checked.declarations.files.get(this.path)!;
  }

  offsetAt(position: Position): number {
    return this.document(this.path).offsetAt(position);
  }

  spotAt(offset: number): Spot | null {
    const found = this.memory.itemAt(this.path, offset);
    return found && { item: found.item, offset: offset - found.by };
  }

  /** The same, or behind the item before it: what is being typed may not be a part of it yet. */
  spotNear(offset: number): Spot | null {
    const here = this.spotAt(offset);
    if (here) return here;
    const item = this.file.items.findLast(({ span }) => this.place(span).start <= offset);
    return item ? { item, offset: offset - this.place(item.span).start + item.span.start } : null;
  }

  /** The syntax around an offset of the main file, innermost first. */
  syntaxAt(offset: number): readonly Syntax[] {
    const spot = this.spotAt(offset);
    return spot ? nodesAt(spot.item, spot.offset) : [];
  }

  /** The name at an offset of the main file. */
  nameAt(offset: number): Occurrence | null {
    const spot = this.spotAt(offset);
    if (!spot) return null;
    const touching = occurrencesIn(spot.item).filter(
      ({ span }) => span.start <= spot.offset && spot.offset <= span.end,
    );
    return touching.at(-1) ?? null;
  }

  watchOf(item: Item): Watch | null {
    return this.memory.watchOf(item) ?? null;
  }

  /** Where a span is now. */
  place(span: Span): Span {
    return this.memory.place(span);
  }

  location(span: Span): Location {
    const { source, start, end } = this.place(span);
    return { uri: this.uris.toUri(source), range: this.range(source, start, end) };
  }

  /** The range of a span of the main file. */
  rangeOf(span: Span): Range {
    const { source, start, end } = this.place(span);
    return this.range(source, start, end);
  }

  range(source: string, start: number, end: number): Range {
    const document = this.document(source);
    return { start: document.positionAt(start), end: document.positionAt(end) };
  }

  /** The path of a file that the main one uses, as it was written there. */
  usedPath(written: string): string | null {
    const path = this.host.resolve(this.path, written);
    return this.checked.declarations.files.has(path) ? path : null;
  }

  /** Names in a folder as it was written in the main file, folders with a `/` behind them; none where it is no folder. */
  namesIn(written: string): readonly string[] {
    try {
      return this.host.list(this.host.resolve(this.path, written));
    } catch (error) {
      if (error instanceof HostError) return [];
      throw error;
    }
  }

  /** The source behind a span, on one line. */
  sourceOf(span: Span): string {
    const { source, start, end } = this.place(span);
    const text = this.checked.sources.get(source) ?? "";
    return text.slice(start, end).replaceAll(/\s+/g, " ");
  }

  isLibrary(span: Span): boolean {
    return this.checked.declarations.library.has(span.source);
  }

  private document(path: string): TextDocument {
    let document = this.documents.get(path);
    if (!document) {
      document = TextDocument.create(path, "lsm", 0, this.checked.sources.get(path) ?? "");
      this.documents.set(path, document);
    }
    return document;
  }
}
