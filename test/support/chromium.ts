/** Debian's chromium, for what only a real browser can measure. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const program = "/usr/bin/chromium";

export const hasChromium = existsSync(program);

/** Opens a page in a fresh browser; gives the text of its `<output>` once its scripts have run. */
export function outputOfPage(html: string): string {
  const folder = mkdtempSync(join(tmpdir(), "lsm-chromium-"));
  try {
    writeFileSync(join(folder, "page.html"), html);
    const flags = [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      `--user-data-dir=${join(folder, "profile")}`,
      "--dump-dom",
      `file://${join(folder, "page.html")}`,
    ];
    const dom = execFileSync(program, flags, {
      encoding: "utf8",
      maxBuffer: 2 ** 28,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const output = /<output id="measured">([^<]*)<\/output>/.exec(dom)?.[1];
    if (output === undefined) throw new Error("the page gave no output");
    return output.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
