/** The little Markdown of the message catalogue, as a terminal shows it. */

import type { Palette } from "../diagnostics/render/colours.js";

const width = 90;

/**
 * Headings stand out, code is indented and loses its fences, paragraphs and list items are filled to the
 * width; everything else, inline code included, reads well as it is.
 */
export function proseForTerminal(markdown: string, paint: Palette): string {
  const rows: string[] = [];
  let paragraph = "";
  let inCode = false;
  const flush = () => {
    if (paragraph !== "") rows.push(...fill(paragraph));
    paragraph = "";
  };
  for (const line of markdown.split("\n")) {
    const heading = /^#+ (.*)$/.exec(line);
    if (inCode && !line.startsWith("```")) {
      rows.push(line === "" ? "" : `    ${line}`);
    } else if (line.startsWith("```")) {
      flush();
      inCode = !inCode;
      if (inCode && rows.at(-1) !== "") rows.push("");
    } else if (heading !== null || line.trim() === "" || line.startsWith("|")) {
      flush();
      rows.push(heading === null ? line.trimEnd() : paint.title(heading[1]!));
    } else {
      if (/^[-*] /.test(line)) flush();
      paragraph += (paragraph === "" ? "" : " ") + line.trim();
    }
  }
  flush();
  return rows.join("\n");
}

/** Breaks a paragraph into rows; the rows of a list item hang behind its dash. */
function fill(paragraph: string): string[] {
  const indent = /^[-*] /.test(paragraph) ? "  " : "";
  const rows: string[] = [];
  let row = "";
  for (const word of paragraph.split(/\s+/)) {
    if (row.trim() !== "" && row.length + 1 + word.length > width) {
      rows.push(row);
      row = indent + word;
    } else {
      row += (row === "" ? "" : " ") + word;
    }
  }
  return [...rows, row];
}
