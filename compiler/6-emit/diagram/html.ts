/** A drawing as one page that needs nothing else: the SVG and a small script. */

import type { Drawing } from "./drawing.js";
import { escapeMarkup } from "./escape.js";
import { script } from "./html-script.js";
import { type Place, svg } from "./svg.js";

const style = `
:root{color-scheme:light dark;font:13px Helvetica,Arial,"Liberation Sans",sans-serif}
body{margin:0;display:flex;flex-direction:column;height:100vh;background:#fff;color:#1c2128}
header{display:flex;flex-wrap:wrap;gap:8px;align-items:center;padding:8px 12px;border-bottom:1px solid #dfe3e8}
h1{font-size:15px;margin:0 8px 0 0}
main{flex:1;overflow:hidden;cursor:grab;touch-action:none;position:relative}
main:active{cursor:grabbing}
svg{position:absolute;transform-origin:0 0}
button,input{font:inherit;padding:3px 9px;border:1px solid #c9ced6;border-radius:6px;background:transparent;color:inherit}
button[aria-pressed=false]{opacity:.45}
button:focus-visible,input:focus-visible{outline:2px solid #6d97d6}
#panels{display:flex;gap:4px}
#note{min-height:2.6em;max-height:6em;overflow:auto;margin:0;padding:8px 12px;border-top:1px solid #dfe3e8;font:12px Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre-wrap}
.folded{display:none}
.closed>g,.closed>path{display:none}
.box.layer,.box.mix{cursor:pointer}
.hit>rect{stroke:#d6336c!important;stroke-width:2.5}
@media (prefers-color-scheme:dark){body{background:#111418;color:#e4e7eb}header,#note{border-color:#2d333b}button,input{border-color:#474e59}}
`;

export function html(drawing: Drawing, place: Place): string {
  const title = escapeMarkup(drawing.title);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none';style-src 'unsafe-inline';script-src 'unsafe-inline'">
<title>${title}</title>
<style>${style}</style>
<header>
<h1>${title}</h1>
<input type="search" placeholder="Search" aria-label="Search boxes">
<output id="found" aria-live="polite"></output>
<span id="panels" role="group" aria-label="Panels"></span>
<button type="button" id="closer" aria-label="Zoom in">+</button>
<button type="button" id="further" aria-label="Zoom out">–</button>
<button type="button" id="fit">Fit</button>
</header>
<main>
${svg(drawing, place)}</main>
<p id="note" aria-live="polite"></p>
<script>${script}</script>
</html>
`;
}
