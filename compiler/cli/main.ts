#!/usr/bin/env node
/** The `lsm` program: connects the command line to this process. */

import { text } from "node:stream/consumers";
import { Exit, type ExitCode } from "./exit.js";
import { reportFailure } from "./failure.js";
import { nodeHost } from "./node-host.js";
import { run } from "./program.js";
import { say, type Output, type Session } from "./session.js";

const { env, stdout, stderr } = process;
let outputFailed = false;

const session: Session = {
  host: nodeHost(),
  out: output(stdout),
  err: output(stderr),
  env,
  readStdin: () => text(process.stdin),
  subject: null,
};

if (env["LSM_DEBUG"] === "1") process.setSourceMapsEnabled(true);
process.on("uncaughtException", (error) => exit(reportFailure(error, session)));
exit(await run(process.argv.slice(2), session));

/** A reader that went away (`lsm … | head`) is no failure: what is left to say is dropped. */
function output(stream: NodeJS.WriteStream): Output {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") return;
    if (stream === stdout) say(session.err, `error: cannot write the output: ${error.message}`);
    outputFailed = true;
  });
  return {
    colour: wantsColour(stream),
    isTTY: Boolean(stream.isTTY),
    get columns() {
      return stream.columns;
    },
    write: (text) => {
      if (stream.writable) stream.write(text);
    },
  };
}

function wantsColour(stream: NodeJS.WriteStream): boolean {
  if (env["NO_COLOR"]) return false; // no-color.org: present and not empty
  if (env["FORCE_COLOR"]) return env["FORCE_COLOR"] !== "0";
  // Not a plain boolean, whatever its type says: `isTTY` is missing where there is no terminal.
  return Boolean(stream.isTTY) && env["TERM"] !== "dumb";
}

/**
 * Ends the process once both streams are flushed, though a backend's worker threads may still run. Streams
 * report their errors a turn later, hence the last wait.
 */
function exit(code: ExitCode): void {
  const end = () => process.exit(outputFailed && code === Exit.ok ? Exit.environment : code);
  stdout.write("", () => stderr.write("", () => setImmediate(end)));
}
