/** An editor without a protocol: a workspace in memory, with the cursor where a program says `‸`. */

import type { Position } from "vscode-languageserver-types";
import type { Program } from "../../../compiler/server/program.js";
import { Workspace } from "../../../compiler/server/workspace.js";
import { memoryHost } from "../memory-host.js";

export interface Opened {
  readonly workspace: Workspace;
  readonly program: Program;
  /** Where the cursor is. */
  readonly at: Position;
  readonly text: string;
}

export const uris = {
  toPath: (uri: string) => uri.slice(5),
  toUri: (path: string) => `file:${path}`,
};

/** Opens `a.lsm`, whose text may have a cursor, beside other files that are not open. */
export function open(marked: string, files: Readonly<Record<string, string>> = {}): Opened {
  const offset = Math.max(0, marked.indexOf("‸"));
  const text = marked.replace("‸", "");
  const workspace = new Workspace(memoryHost({ "a.lsm": text, ...files }), uris);
  workspace.folders = ["."];
  workspace.open("file:a.lsm", 1, text);
  const program = workspace.program("a.lsm")!;
  return { workspace, program, at: positionAt(text, offset), text };
}

export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length - 1, character: before.at(-1)!.length };
}
