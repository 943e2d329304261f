/** lsm for prettier: `prettier --plugin …`, editors, and `lsm fmt`. */

import type { Parser, Plugin, Printer } from "prettier";
import type { SourceFile } from "./ast.js";
import { parse } from "./parse.js";
import { print } from "./print.js";

/** The tree handed to prettier; it hides the comments, which the printer places itself. */
interface Root {
  readonly file: SourceFile;
}

export const languages: Plugin["languages"] = [
  { name: "lsm", parsers: ["lsm"], extensions: [".lsm"], vscodeLanguageIds: ["lsm"] },
];

const parser: Parser<Root> = {
  astFormat: "lsm",
  parse(text) {
    const { file, diagnostics } = parse(text, "");
    const [first] = diagnostics;
    if (first === undefined) return { file };
    const { start } = first.labels[0]!.span;
    const before = text.slice(0, start).split("\n");
    const position = { line: before.length, column: before.at(-1)!.length + 1 };
    throw Object.assign(new SyntaxError(first.title), { loc: { start: position, end: position } });
  },
  locStart: ({ file }) => file.span.start,
  locEnd: ({ file }) => file.span.end,
};

const printer: Printer<Root> = {
  print: (path, options) => print(path.node.file, options.originalText),
};

export const parsers: Record<string, Parser<Root>> = { lsm: parser };
export const printers: Record<string, Printer<Root>> = { lsm: printer };

/** What prettier is told beside the plugin; there is nothing to choose. */
export const options = { printWidth: 80, tabWidth: 2, useTabs: false, endOfLine: "lf" } as const;
