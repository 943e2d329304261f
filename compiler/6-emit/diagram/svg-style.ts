/** The picture's colours, in light and dark, and its type. */

import { fonts } from "./text-width.js";
import type { Style } from "./drawing.js";

const sans = `Helvetica,Arial,"Liberation Sans",sans-serif`;
const mono = `Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace`;

const type = (Object.keys(fonts) as Style[])
  .map((style) => {
    const { size, bold, mono: fixed } = fonts[style];
    return `.${style}{font-family:${fixed ? mono : sans};font-size:${size}px;font-weight:${bold ? 600 : 400}}`;
  })
  .join("\n");

/** Shape by shape: what fills it in light and dark, and its outline. */
const colours: readonly (readonly [string, string, string, string, string])[] = [
  ["step", "#ffffff", "#c9ced6", "#23272e", "#474e59"],
  ["state", "#fdf1dc", "#d9a441", "#3a2f1a", "#b98a34"],
  ["attend", "#e6eefb", "#6d97d6", "#1c2a40", "#5681bd"],
  ["route", "#efe9fa", "#9b80cf", "#2c2440", "#8a70bb"],
  ["mix", "#f7f4fc", "#b9a6dd", "#241f33", "#75629c"],
  ["layer", "#f4f6f8", "#b8c0cb", "#1b1f25", "#4b5563"],
  ["repeat", "#f4f6f8", "#9aa4b1", "#1b1f25", "#5b6675"],
  ["block", "#e7f3ee", "#6aa88c", "#1a2d25", "#4f8a70"],
  ["operator", "#ffffff", "#57606c", "#23272e", "#9aa4b1"],
  ["port", "#e9ecf0", "#e9ecf0", "#2d333b", "#2d333b"],
];

const fills = (fill: 1 | 3, stroke: 2 | 4): string =>
  colours.map((row) => `.${row[0]}>rect{fill:${row[fill]};stroke:${row[stroke]}}`).join("\n");

export const style = `
text{fill:#1c2128;white-space:pre}
.faint{fill:#5f6874}
${type}
.paper{fill:#ffffff}
.panel{fill:#ffffff;stroke:#dfe3e8}
.wire{fill:none;stroke:#57606c;stroke-width:1.2;stroke-linejoin:round}
.tip{fill:#57606c}
.back{fill:#ffffff}
.layer>g>.back,.repeat>g>.back{fill:#f4f6f8}
.mix>g>.back{fill:#f7f4fc}
.heading{font-family:${sans};font-size:17px;font-weight:600}
${fills(1, 2)}
@media (prefers-color-scheme:dark){
text{fill:#e4e7eb}
.faint{fill:#9aa4b1}
.paper{fill:#111418}
.panel{fill:#15181d;stroke:#2d333b}
.wire{stroke:#9aa4b1}
.tip{fill:#9aa4b1}
.back{fill:#15181d}
.layer>g>.back,.repeat>g>.back{fill:#1b1f25}
.mix>g>.back{fill:#241f33}
${fills(3, 4)}
}
`;
