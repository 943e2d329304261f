/**
 * The compiler's only door to the outside. Phases read and write through a `Host`, so the same compiler
 * runs in Node (`cli/node-host.ts`), in a browser and in tests.
 */

export interface SourceText {
  readonly path: string; // as shown in diagnostics
  readonly text: string;
}

export interface Host {
  /** The text of a file; throws a HostError when it cannot be read or is not UTF-8. */
  readText(path: string): string;
  /** Replaces a file whole or not at all, making folders as needed; throws a HostError. */
  writeText(path: string, text: string): void;
  /** The same for what is not text. */
  writeBytes(path: string, bytes: Uint8Array): void;
  /** Whether there is a file or a folder. */
  exists(path: string): boolean;
  /** Names in a folder, sorted, folders with a `/` behind them; throws a HostError. */
  list(folder: string): readonly string[];
  /** The path that `path`, written inside the file `from`, stands for. */
  resolve(from: string, path: string): string;
  /** The standard library's files, in order of their names. */
  library(): readonly SourceText[];
}

export type HostErrorKind = "missing" | "folder" | "forbidden" | "full" | "not-text" | "other";

const reasons: Readonly<Record<Exclude<HostErrorKind, "other">, string>> = {
  missing: "there is no such file",
  folder: "it is a folder",
  forbidden: "permission denied",
  full: "the disk is full",
  "not-text": "it is not a UTF-8 text",
};

/** What the environment refused: the user's to put right, and neither a mistake in a program nor ours. */
export class HostError extends Error {
  override readonly name = "HostError";
  readonly reason: string; // without the path: "there is no such file"

  constructor(
    readonly kind: HostErrorKind,
    readonly verb: "read" | "write" | "list",
    readonly path: string,
    detail?: string,
  ) {
    const reason =
      kind === "other"
        ? (detail ?? "unknown reason")
        : kind === "missing" && verb === "write"
          ? "its folder cannot be made"
          : reasons[kind];
    super(`cannot ${verb} ${path}: ${reason}`);
    this.reason = reason;
  }
}
