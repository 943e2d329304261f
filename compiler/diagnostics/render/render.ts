/**
 * Diagnostics as people read them:
 *
 *     error[axis-mismatch]: dot needs `key` on both sides
 *       --> gla.lsm:14:11
 *        8 |   q = linear(x, [heads, value])
 *          |       ------------------------- [heads 4, value 64]
 *       14 |   o = dot(q, S, key)
 *          |           ^ q has no axis `key`
 *     help: make line 8 `linear(x, [heads, key])`, or contract `value`
 */

import type { Diagnostic } from "../diagnostic.js";
import { plain, type Palette } from "./colours.js";
import { displayText } from "./display.js";
import { frame, lastLine, type PlacedLabel } from "./frame.js";
import { Sources, type SourceLookup } from "./sources.js";
import { summary } from "./summary.js";

export interface RenderOptions {
  readonly source: SourceLookup;
  readonly palette?: Palette;
  readonly width?: number; // of a source line, in characters, before it is clipped
}

const defaultWidth = 120;

/** Every diagnostic with its frame, and a line that counts them; the empty text for none. */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  options: RenderOptions,
): string {
  const sources = new Sources(options.source);
  const rendered = diagnostics.map((diagnostic) => `${renderOne(diagnostic, sources, options)}\n`);
  const total = summary(diagnostics);
  return total === null ? "" : `${rendered.join("\n")}\n${total}\n`;
}

function renderOne(
  { code, severity, title, help, labels }: Diagnostic,
  sources: Sources,
  { palette = plain, width = defaultWidth }: RenderOptions,
): string {
  const primaryPaint = palette[severity];
  const rows = [
    `${primaryPaint(`${severity}[${code}]`)}${palette.title(`: ${displayText(title)}`)}`,
  ];

  const files = byFile(labels.map((label, index) => ({ ...label, primary: index === 0 })));
  const numbers = [...files].map(([path, placed]) => {
    const lines = sources.lines(path);
    return lines === null ? 0 : lastLine(placed, lines);
  });
  const gutter = Math.max(2, String(Math.max(0, ...numbers)).length);
  for (const [path, placed] of files) {
    const arrow = palette.gutter(placed[0]!.primary ? "-->" : ":::");
    const lines = sources.lines(path);
    if (lines === null) {
      rows.push(`  ${arrow} ${displayText(path)}`);
      for (const { text } of placed)
        if (text !== "") rows.push(`  ${" ".repeat(gutter)} = ${displayText(text)}`);
    } else {
      const { line, column } = lines.position(lines.clamp(placed[0]!.span).start);
      rows.push(`  ${arrow} ${displayText(path)}:${line}:${column}`);
      rows.push(...frame(placed, lines, { palette, primaryPaint, width, gutter }));
    }
  }
  if (help !== null) rows.push(`${palette.help("help:")} ${helpText(help)}`);
  return rows.join("\n");
}

/** Files in the order in which the labels name them, so the primary label's file comes first. */
function byFile(labels: readonly PlacedLabel[]): Map<string, PlacedLabel[]> {
  const files = new Map<string, PlacedLabel[]>();
  for (const label of labels) {
    files.set(label.span.source, [...(files.get(label.span.source) ?? []), label]);
  }
  return files;
}

/** A help text may have several lines; they line up behind `help:`. */
const helpText = (help: string) => help.trim().split(/\r?\n/).map(displayText).join("\n      ");
