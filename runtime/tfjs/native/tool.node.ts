/** Runs another program, keeping what it says for the case that it fails. */

import { spawn } from "node:child_process";

export class ToolFailed extends Error {
  override readonly name = "ToolFailed";
}

export interface ToolOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What the program printed on its standard output. Throws `ToolFailed` with the last lines it said. */
export function runTool(
  command: string,
  given: readonly string[],
  { cwd, env = {} }: ToolOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, given, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let everything = "";
    child.stdout.on("data", (part: Buffer) => {
      output += part.toString();
      everything += part.toString();
    });
    child.stderr.on("data", (part: Buffer) => (everything += part.toString()));
    child.on("error", (fault) =>
      reject(new ToolFailed(`${command} cannot be started: ${fault.message}`)),
    );
    child.on("close", (status, signal) => {
      if (status === 0) return resolve(output);
      const tail = everything.trim().split("\n").slice(-12).join("\n");
      reject(new ToolFailed(`${command} ended with ${signal ?? `status ${status}`}:\n${tail}`));
    });
  });
}

/** Like `runTool`, but a failure is an answer: null. */
export async function askTool(command: string, given: readonly string[]): Promise<string | null> {
  try {
    return await runTool(command, given);
  } catch {
    return null;
  }
}
