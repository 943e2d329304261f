/** The one place where exceptions end: each becomes a clear message and an exit code, never a stack trace. */

import { CommanderError } from "commander";
import { Fault } from "../diagnostics/fault.js";
import { Lines } from "../diagnostics/render/lines.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { HostError } from "../host.js";
import { RunError } from "../../runtime/run/errors.js";
import { Exit, UsageError, type ExitCode } from "./exit.js";
import { isSystemError } from "./node-host.js";
import { paletteOf, say, sourceLookup, type Session } from "./session.js";
import { version } from "./version.js";

export function reportFailure(error: unknown, session: Session): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.ok : Exit.usage; // already said
  if (error instanceof UsageError) return complain(session, error.message, error.help, Exit.usage);
  if (error instanceof HostError)
    return complain(session, error.message, nearbyFile(error, session), Exit.environment);
  if (error instanceof RunError) return runFailed(error, session);
  if (isSystemError(error)) return complain(session, error.message, null, Exit.environment);
  return internalFault(error, session);
}

function complain(
  session: Session,
  message: string,
  help: string | null,
  code: ExitCode,
): ExitCode {
  const paint = paletteOf(session.err);
  say(session.err, `${paint.error("error:")} ${message}`);
  if (help !== null) say(session.err, `${paint.help("help:")} ${help}`);
  return code;
}

/** What went wrong while something ran: mostly the environment's doing, but divergence is the program's. */
function runFailed({ code, what, where, help }: RunError, { err }: Session): ExitCode {
  const paint = paletteOf(err);
  say(err, `${paint.error(`error[${code}]:`)} ${what}`);
  say(err, `  --> ${where}`);
  say(err, `${paint.help("help:")} ${help}`);
  return code === "training-diverged" ? Exit.mistakes : Exit.environment;
}

/** A file of a similar name in the same folder. */
function nearbyFile(error: HostError, { host }: Session): string | null {
  if (error.kind !== "missing" || error.verb !== "read") return null;
  const folder = error.path.slice(0, error.path.lastIndexOf("/") + 1);
  if (!host.exists(folder || ".")) return null;
  const others = host.list(folder || ".").map((name) => folder + name);
  return didYouMean(error.path, others);
}

function internalFault(error: unknown, session: Session): ExitCode {
  const { err, subject } = session;
  const message = error instanceof Error ? error.message : String(error);
  const place = (error instanceof Fault && placeOf(error, session)) || subject;
  say(err, `${paletteOf(err).error("internal fault:")} ${message.split("\n", 1)[0]}`);
  if (place !== null) say(err, `  while working on ${place}`);
  say(
    err,
    `This is a mistake in lsm ${version} itself. Please report it${place === null ? "" : ", with that file"}.`,
  );
  if (session.env["LSM_DEBUG"] === "1")
    say(err, error instanceof Error ? error.stack : String(error));
  else say(err, "Set LSM_DEBUG=1 to see where it happened.");
  return Exit.internal;
}

function placeOf({ span }: Fault, session: Session): string | null {
  if (span === null) return null;
  const text = sourceLookup(session)(span.source);
  if (text === null) return span.source;
  const lines = new Lines(text);
  const { line, column } = lines.position(lines.clamp(span).start);
  return `${span.source}:${line}:${column}`;
}
