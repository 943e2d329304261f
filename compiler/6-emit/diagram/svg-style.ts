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

/** Of the mesh view: axes of the mesh, stages of a pipeline, and what memory is for. */
const meshColours: typeof colours = [
  ["row", "none", "none", "none", "none"],
  ["node", "#f4f6f8", "#c9ced6", "#1b1f25", "#474e59"],
  ["pp", "#e9e2f6", "#8e6fc4", "#2f2547", "#8e6fc4"],
  ["dp_replicate", "#e3e8ee", "#75879b", "#262d35", "#75879b"],
  ["dp_shard", "#dce9f9", "#4f86cc", "#1b2d46", "#4f86cc"],
  ["cp", "#fde8d2", "#d98a35", "#40290f", "#d98a35"],
  ["tp", "#dcf0e2", "#4e9e6a", "#173322", "#4e9e6a"],
  ["ep", "#fae0ea", "#cc5f8a", "#3f1a2a", "#cc5f8a"],
  ["device0", "#dbe7f5", "#7fa3cf", "#1d3048", "#5f86b5"],
  ["device1", "#dff0e4", "#7db893", "#1a3524", "#5d9a74"],
  ["device2", "#fbecd3", "#d6a95e", "#3a2b12", "#b58c48"],
  ["device3", "#f6e0e7", "#cf8ba3", "#3b1f2a", "#b06f87"],
  ["free", "#ffffff", "#9aa4b1", "#15181d", "#5b6675"],
  ["over", "#d6336c", "#d6336c", "#d6336c", "#d6336c"],
  ["weights", "#4f86cc", "#4f86cc", "#4f86cc", "#4f86cc"],
  ["gradients", "#8db4e2", "#8db4e2", "#7ba0cc", "#7ba0cc"],
  ["optimizer", "#2f5f9e", "#2f5f9e", "#315f9a", "#315f9a"],
  ["gathered", "#6bb58b", "#6bb58b", "#559672", "#559672"],
  ["activations", "#e3a04a", "#e3a04a", "#c4863a", "#c4863a"],
  ["working", "#efc98f", "#efc98f", "#a88a5a", "#a88a5a"],
  ["buffer", "#a893cf", "#a893cf", "#8672ad", "#8672ad"],
];

const fills = (fill: 1 | 3, stroke: 2 | 4): string =>
  [...colours, ...meshColours]
    .map((row) => `.${row[0]}>rect{fill:${row[fill]};stroke:${row[stroke]}}`)
    .join("\n");

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
