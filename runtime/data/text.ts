/** From a file's bytes to documents, or to a message that says which line is at fault. */

import { RunError } from "../run/errors.js";

/** A text that is learnt as a whole: nothing is carried from one document to the next. */
export interface Document {
  /** The file it came from, with the line for `.jsonl`. */
  readonly name: string;
  readonly text: string;
}

const SIZE_LIMIT = 0x1fff_0000; // bytes: what fits into one string

/**
 * The documents of a file: one for text, one a line for `.jsonl`. Empty ones are left out.
 *
 * @param name the file's path; its ending chooses the format
 * @throws RunError `data-too-large`, `data-binary`, `data-not-utf8`, `data-bad-jsonl`
 */
export function parseDocuments(bytes: Uint8Array, name: string): Document[] {
  const text = decodeText(bytes, name);
  const documents = name.endsWith(".jsonl") ? jsonLines(text, name) : [{ name, text }];
  return documents.filter((document) => document.text !== "");
}

/** @throws RunError `data-too-large`, `data-binary`, `data-not-utf8` */
export function decodeText(bytes: Uint8Array, name: string): string {
  if (bytes.length > SIZE_LIMIT) {
    throw fault(
      "data-too-large",
      `the file has ${bytes.length} bytes, and at most ${SIZE_LIMIT} are read`,
      name,
      "split it",
    );
  }
  const nul = bytes.indexOf(0);
  if (nul >= 0) {
    const help = 'name text files only, such as "corpus/**/*.txt"';
    throw fault("data-binary", `this is not text: byte ${nul} is zero`, name, help);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const line = firstBadLine(bytes);
    const help = "convert it, for example with `iconv -f latin1 -t utf8`, or leave it out";
    throw fault("data-not-utf8", `line ${line} is not valid UTF-8`, `${name}:${line}`, help);
  }
}

/** The number, from one, of the first line that is not UTF-8: no character spans two lines. */
function firstBadLine(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(start, end));
    } catch {
      break;
    }
    start = end;
  }
  return line;
}

function jsonLines(text: string, name: string): Document[] {
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    const where = `${name}:${i + 1}`;
    const document = textField(line);
    if (document !== null) return [{ name: where, text: document }];
    const help = 'every line is an object such as {"text": "a document"}';
    throw fault(
      "data-bad-jsonl",
      `line ${i + 1} is not a JSON object with a string \`text\``,
      where,
      help,
    );
  });
}

function textField(line: string): string | null {
  try {
    const parsed = JSON.parse(line) as { readonly text?: unknown } | null;
    return typeof parsed?.text === "string" ? parsed.text : null;
  } catch {
    return null;
  }
}

function fault(code: string, what: string, where: string, help: string): RunError {
  return new RunError({ code, what, where, help });
}
