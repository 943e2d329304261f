/**
 * The programs that an editor works on: its open documents over the files behind them, and for each main
 * file the last check with its memory.
 */

import {
  TextDocument,
  type TextDocumentContentChangeEvent,
} from "vscode-languageserver-textdocument";
import { type Checked, check } from "../1-check/check.js";
import { Memory } from "../1-check/memory.js";
import type { Known as KnownRecurrences } from "../4-place/uncut.js";
import { byPlace } from "../diagnostics/report.js";
import { type Host, HostError } from "../host.js";
import { sequenceFormMistakes } from "../sequence-forms.js";
import { programsIn } from "./folders.js";
import { Program } from "./program.js";

/** How the names of documents in the protocol and the paths of the host belong together. */
export interface Uris {
  readonly toPath: (uri: string) => string;
  readonly toUri: (path: string) => string;
}

interface Known {
  readonly program: Program;
  readonly generation: number;
}

export class Workspace {
  readonly documents = new Map<string, TextDocument>(); // open ones, by path
  readonly host: Host;
  /** Folders in which programs may lie that nobody has opened. */
  folders: readonly string[] = [];
  private readonly known = new Map<string, Known>();
  private readonly memories = new Map<string, Memory>();
  private readonly recurrences: KnownRecurrences = new WeakMap();
  private generation = 0;

  constructor(
    private readonly files: Host,
    readonly uris: Uris,
  ) {
    this.host = {
      ...files,
      readText: (path) => this.documents.get(path)?.getText() ?? files.readText(path),
      exists: (path) => this.documents.has(path) || files.exists(path),
    };
  }

  open(uri: string, version: number, text: string): void {
    this.documents.set(this.uris.toPath(uri), TextDocument.create(uri, "lsm", version, text));
    this.generation += 1;
  }

  change(uri: string, version: number, changes: TextDocumentContentChangeEvent[]): void {
    const document = this.documents.get(this.uris.toPath(uri));
    if (!document) return;
    TextDocument.update(document, changes, version);
    this.generation += 1;
  }

  close(uri: string): void {
    const path = this.uris.toPath(uri);
    this.documents.delete(path);
    this.memories.delete(path);
    this.known.delete(path);
    this.generation += 1;
  }

  /** Files were changed outside of the editor. */
  refresh(): void {
    this.known.clear();
    this.generation += 1;
  }

  /** The program whose main file this is, checked as it is now; null when it cannot be read. */
  program(path: string): Program | null {
    const known = this.known.get(path);
    if (known && (known.generation === this.generation || this.unchanged(known.program))) {
      this.known.set(path, { program: known.program, generation: this.generation });
      return known.program;
    }
    const memory = this.memories.get(path) ?? new Memory();
    this.memories.set(path, memory);
    try {
      const program = new Program(this.check(path, memory), memory, this.uris, this.host);
      this.known.set(path, { program, generation: this.generation });
      return program;
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      return null;
    }
  }

  /** Phase 1, and what only placing shows. */
  private check(path: string, memory: Memory): Checked {
    const checked = check(this.host, path, memory);
    const placing = sequenceFormMistakes(checked, this.recurrences);
    if (placing.length === 0) return checked;
    const placed = placing.map((mistake) => memory.placed(mistake));
    return { ...checked, diagnostics: [...checked.diagnostics, ...placed].sort(byPlace) };
  }

  /** The programs that may use what another one declares: open ones, and those of the folders that use a file of it. */
  users({ checked }: Program): Program[] {
    const files = [...checked.declarations.files.keys()];
    const paths = new Set([...this.documents.keys(), ...programsIn(this.folders, this.files)]);
    return [...paths].flatMap((path) => {
      const program = this.mayUse(path) ? this.program(path) : null;
      const used = program?.checked.declarations.files;
      return program && files.some((file) => used?.has(file)) ? program : [];
    });
  }

  /** A look at the text, which is cheaper than a check. */
  private mayUse(path: string): boolean {
    if (this.documents.has(path)) return true;
    try {
      return /^\s*use\b/m.test(this.files.readText(path));
    } catch (error) {
      if (error instanceof HostError) return false;
      throw error;
    }
  }

  /** Whether a program's files, and those that it could not find, are what they were. */
  private unchanged({ checked }: Program): boolean {
    if (checked.diagnostics.some(({ code }) => code === "file-not-found")) return false;
    return [...checked.declarations.files.keys()].every((path) => {
      try {
        return this.host.readText(path) === checked.sources.get(path);
      } catch (error) {
        if (error instanceof HostError) return false;
        throw error;
      }
    });
  }
}
