/** `samples.jsonl` in a run's folder: what the model wrote at which step, for the training page. */

import { appendFile } from "node:fs/promises";
import { onFile } from "../../../runtime/run/files.node.js";
import { runFiles } from "../../../runtime/run/folder.node.js";
import type { Output } from "../session.js";

/** Keeps what `write` writes; nothing when it writes nothing. */
export async function recordSample(
  folder: string,
  step: number,
  write: (out: Output) => Promise<void>,
): Promise<void> {
  let text = "";
  await write({ colour: false, write: (part) => void (text += part) });
  if (text.trim() === "") return;
  const { samples } = runFiles(folder);
  const line = `${JSON.stringify({ step, text: text.trim() })}\n`;
  await onFile("write the file", samples, () => appendFile(samples, line));
}

/** Writes to one output as before, and to another one as well. */
export const both = (first: Output, second: Output): Output => ({
  ...first,
  write(text) {
    first.write(text);
    second.write(text);
  },
});
