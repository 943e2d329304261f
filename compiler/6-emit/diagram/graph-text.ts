/** What Mermaid and DOT share: every box of a drawing with a name that no other has. */

import type { Box, Drawing, Edge, Flow, Panel } from "./drawing.js";

export interface Named {
  readonly box: Box;
  readonly name: string;
  readonly inside: NamedFlow | null;
}

export interface NamedFlow {
  readonly boxes: readonly Named[];
  readonly edges: readonly (Edge & { readonly fromName: string; readonly toName: string })[];
}

export interface NamedPanel {
  readonly panel: Panel;
  readonly name: string;
  readonly flow: NamedFlow;
}

export function nameAll({ panels }: Drawing): NamedPanel[] {
  return panels.map((panel, i) => ({
    panel,
    name: `p${i}`,
    flow: nameFlow(panel.flow, `p${i}_`),
  }));
}

function nameFlow({ boxes, edges }: Flow, prefix: string): NamedFlow {
  const nameOf = (id: string): string => prefix + id.replaceAll(".", "_");
  return {
    boxes: boxes.map((box) => ({
      box,
      name: nameOf(box.id),
      inside: box.inside && nameFlow(box.inside, prefix),
    })),
    edges: edges.map((edge) => ({ ...edge, fromName: nameOf(edge.from), toName: nameOf(edge.to) })),
  };
}

/** A box's lines as plain text. */
export const linesOf = ({ lines }: Box): string[] =>
  lines.map(({ text, beside }) => (beside === undefined ? text : `${text}  ${beside}`.trim()));
