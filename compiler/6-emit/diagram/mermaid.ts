/** A drawing as a Mermaid flowchart, for README files that render it. */

import type { Drawing } from "./drawing.js";
import { linesOf, nameAll, type NamedFlow } from "./graph-text.js";

export function mermaid(drawing: Drawing): string {
  const body = nameAll(drawing).flatMap(({ panel, name, flow }) => [
    `  subgraph ${name} [${quoted([panel.title, ...panel.facts])}]`,
    ...flowLines(flow, "    "),
    "  end",
  ]);
  return ["flowchart TB", ...body, ""].join("\n");
}

function flowLines({ boxes, edges }: NamedFlow, indent: string): string[] {
  return [
    ...boxes.flatMap(({ box, name, inside }) => {
      const text = quoted(linesOf(box));
      if (inside)
        return [
          `${indent}subgraph ${name} [${text}]`,
          ...flowLines(inside, `${indent}  `),
          `${indent}end`,
        ];
      if (box.shape === "operator") return [`${indent}${name}((${text}))`];
      if (box.shape === "state") return [`${indent}${name}[(${text})]`];
      if (box.shape === "port") return [`${indent}${name}([${text}])`];
      return [`${indent}${name}[${text}]`];
    }),
    ...edges.map(({ fromName, toName, label }) =>
      label === ""
        ? `${indent}${fromName} --> ${toName}`
        : `${indent}${fromName} -->|${quoted([label])}| ${toName}`,
    ),
  ];
}

/** Mermaid reads `#35;` and the like in quoted text; anything that could end the text is written so. */
const quoted = (lines: readonly string[]): string =>
  `"${lines.map((line) => line.replace(/[^\p{L}\p{N} ,.:;()[\]+*/=^·×_-]/gu, entity)).join("<br>") || " "}"`;

const entity = (character: string): string => `#${character.codePointAt(0)!};`;
