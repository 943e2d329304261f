/** The little Markdown of the message catalogue, as a terminal shows it. */

import type { Palette } from "../diagnostics/render/colours.js";

/** Headings stand out, code is indented, fences go; everything else reads well as it is. */
export function proseForTerminal(markdown: string, paint: Palette): string {
  let inCode = false;
  const rows: string[] = [];
  for (const line of markdown.split("\n")) {
    const heading = /^#+ (.*)$/.exec(line);
    if (line.startsWith("```")) {
      inCode = !inCode;
      if (inCode && rows.at(-1) !== "") rows.push("");
    } else if (inCode) {
      rows.push(line === "" ? "" : `    ${line}`);
    } else {
      rows.push(heading === null ? line : paint.title(heading[1]!));
    }
  }
  return rows.join("\n");
}
