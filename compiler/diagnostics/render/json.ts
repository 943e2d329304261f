/** Diagnostics for programs to read: the same places as in the frames, with lines and columns from 1. */

import type { Diagnostic } from "../diagnostic.js";
import type { Position } from "./lines.js";
import { Sources, type SourceLookup } from "./sources.js";

export interface JsonLabel {
  readonly file: string;
  readonly start: number; // UTF-16 offsets in the file
  readonly end: number;
  readonly from: Position | null; // null when the file's text is not at hand
  readonly to: Position | null;
  readonly text: string;
}

export interface JsonDiagnostic {
  readonly code: string;
  readonly severity: string;
  readonly title: string;
  readonly help: string | null;
  readonly labels: readonly JsonLabel[];
}

export function toJson(diagnostics: readonly Diagnostic[], source: SourceLookup): JsonDiagnostic[] {
  const sources = new Sources(source);
  return diagnostics.map(({ code, severity, title, help, labels }) => ({
    code,
    severity,
    title,
    help,
    labels: labels.map(({ span, text }) => {
      const lines = sources.lines(span.source);
      const { start, end } = lines?.clamp(span) ?? span;
      const from = lines?.position(start) ?? null;
      const to = lines?.position(end) ?? null;
      return { file: span.source, start, end, from, to, text };
    }),
  }));
}

export function renderJson(diagnostics: readonly Diagnostic[], source: SourceLookup): string {
  return JSON.stringify(toJson(diagnostics, source), null, 2);
}
