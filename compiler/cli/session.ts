/** What a command may touch: files, the terminal and the environment, all replaceable in tests. */

import { palette, type Palette } from "../diagnostics/render/colours.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { renderDiagnostics } from "../diagnostics/render/render.js";
import type { SourceLookup } from "../diagnostics/render/sources.js";
import { HostError, type Host } from "../host.js";

export interface Output {
  readonly colour: boolean;
  /** Whether lines can be redrawn in place, and how many columns they have. */
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): void;
}

export interface Session {
  readonly host: Host;
  /** Results: what another program may read. */
  readonly out: Output;
  /** Messages: diagnostics, progress, complaints. */
  readonly err: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readStdin(): Promise<string>;
  /** The file being worked on, named when lsm itself fails. */
  subject: string | null;
}

export function say(output: Output, line = ""): void {
  output.write(`${line}\n`);
}

export function paletteOf(output: Output): Palette {
  return palette(output.colour);
}

/** Shows diagnostics on the error stream. */
export function showDiagnostics(
  session: Session,
  diagnostics: readonly Diagnostic[],
  source?: SourceLookup,
): void {
  const options = { source: source ?? sourceLookup(session), palette: paletteOf(session.err) };
  session.err.write(renderDiagnostics(diagnostics, options));
}

/** Sources as the host has them, the standard library's files included. */
export function sourceLookup({ host }: Session): SourceLookup {
  return (path) => {
    try {
      return host.readText(path);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      return host.library().find((file) => file.path === path)?.text ?? null;
    }
  };
}
