/** Formats the text of a file; what `lsm fmt` and the language server call. */

import type { Diagnostic } from "../compiler/diagnostics/diagnostic.js";
import { parse } from "./parse.js";

export interface FormatResult {
  /** The formatted text; the given text as it was when it has errors. */
  readonly text: string;
  /** What is wrong with the text; nothing was formatted unless this is empty. */
  readonly diagnostics: readonly Diagnostic[];
}

export async function format(text: string, source = "input.lsm"): Promise<FormatResult> {
  const { diagnostics } = parse(text, source);
  if (diagnostics.length > 0) return { text, diagnostics };
  // Loaded on first use: most commands never format.
  const [{ format: run }, plugin] = await Promise.all([
    import("prettier/standalone"),
    import("./prettier-plugin.js"),
  ]);
  const { languages, parsers, printers, options } = plugin;
  const withoutMark = text.replace(/^\ufeff/, "");
  return {
    text: await run(withoutMark, {
      ...options,
      parser: "lsm",
      plugins: [{ languages, parsers, printers }],
    }),
    diagnostics,
  };
}
