/** A picture as PNG, for papers and slides: the SVG in its light colours, drawn by resvg. */

import { UsageError } from "./exit.js";

/** Pixels for one unit of the SVG: sharp in print. */
const zoom = 2;

/** Longer sides than this are drawn smaller, so that a huge model's picture still fits into memory. */
const longestSide = 16_000;

/** @throws UsageError where the machine has no fonts to draw text with */
export async function png(svg: string): Promise<Uint8Array> {
  const { Resvg } = await import("@resvg/resvg-js");
  const draw = (text: string, scale: number): Uint8Array =>
    new Resvg(text, {
      background: "#ffffff",
      fitTo: { mode: "zoom", value: scale },
      font: {
        loadSystemFonts: true,
        sansSerifFamily: "Liberation Sans",
        defaultFontFamily: "Liberation Sans",
      },
    })
      .render()
      .asPng();
  const letter = (text: string): Uint8Array =>
    draw(
      `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text y="15" font-size="15">${text}</text></svg>`,
      1,
    );
  if (Buffer.compare(letter("M"), letter(" ")) === 0)
    throw new UsageError(
      "there is no font here to draw a PNG with",
      "install one (Debian: fonts-liberation), or write .svg or .html",
    );
  const size = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg)!;
  const longest = Math.max(Number(size[1]), Number(size[2]));
  return draw(light(svg), Math.min(zoom, longestSide / longest));
}

/** Without the colours for dark pages. */
const light = (svg: string): string =>
  svg.replace(/@media \(prefers-color-scheme:dark\)\{[\s\S]*?\n\}\n/, "");
