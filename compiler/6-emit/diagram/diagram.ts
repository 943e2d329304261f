/** The diagram target: a checked model as a picture, in any of four formats. */

import { dot } from "./dot.js";
import type { Drawing } from "./drawing.js";
import { html } from "./html.js";
import { mermaid } from "./mermaid.js";
import type { Sources } from "./source-text.js";
import { type Place, svg } from "./svg.js";

export { architecture, type ModelFigures } from "./architecture.js";
export { kernels } from "./kernels.js";
export { mesh, type MeshFigures } from "./mesh/mesh.js";
export const views = ["architecture", "kernels", "mesh"] as const;
export type View = (typeof views)[number];

export const formats = ["svg", "html", "mmd", "dot"] as const;
export type Format = (typeof formats)[number];

export function render(drawing: Drawing, format: Format, sources: Sources): string {
  const place: Place = (span) => {
    const { source, start } = sources.place?.(span) ?? span;
    const line = (sources.get(source) ?? "").slice(0, start).split("\n").length;
    return `${source}:${line}`;
  };
  const printers = { svg, html, mmd: mermaid, dot } satisfies Record<Format, unknown>;
  return printers[format](drawing, place);
}
