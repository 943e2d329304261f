/** A drawing as a Graphviz digraph. */

import type { Drawing } from "./drawing.js";
import { linesOf, nameAll, type NamedFlow } from "./graph-text.js";

export function dot(drawing: Drawing): string {
  return [
    `digraph ${quoted(drawing.title)} {`,
    "  compound=true;",
    '  node [shape=box, style=rounded, fontname="Helvetica", fontsize=11];',
    '  edge [fontname="Helvetica", fontsize=9];',
    ...nameAll(drawing).flatMap(({ panel, name, flow }) => [
      `  subgraph cluster_${name} {`,
      `    label=${quoted([panel.title, ...panel.facts].join("\n"))};`,
      ...flowLines(flow, "    "),
      "  }",
    ]),
    "}\n",
  ].join("\n");
}

function flowLines({ boxes, edges }: NamedFlow, indent: string): string[] {
  return [
    ...boxes.flatMap(({ box, name, inside }) => {
      const label = quoted(linesOf(box).join("\n"));
      if (!inside) return [`${indent}${name} [label=${label}${shape(box.shape)}];`];
      return [
        `${indent}subgraph cluster_${name} {`,
        `${indent}  label=${label};`,
        `${indent}  ${name} [shape=point, label=""];`,
        ...flowLines(inside, `${indent}  `),
        `${indent}}`,
      ];
    }),
    ...edges.map(({ fromName, toName, label }) => {
      const text = label === "" ? "" : ` [label=${quoted(label)}]`;
      return `${indent}${fromName} -> ${toName}${text};`;
    }),
  ];
}

function shape(of: string): string {
  if (of === "operator") return ", shape=circle";
  if (of === "state") return ", shape=cylinder";
  return of === "port" ? ", shape=plaintext" : "";
}

const quoted = (text: string): string =>
  `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
