/** `lsm fmt`: puts files into the one format. */

import type { Diagnostic } from "../../diagnostics/diagnostic.js";
import { Exit, UsageError, type ExitCode } from "../exit.js";
import type { AddCommand } from "../program.js";
import { say, showDiagnostics, type Session } from "../session.js";

export interface FmtOptions {
  readonly check?: true;
}

/** The file name that stands for the standard input, and how it is called in messages. */
const stdin = { argument: "-", shown: "<stdin>" };

export const addFmt: AddCommand = (program, session, finish) => {
  program
    .command("fmt")
    .summary("put programs into the one format")
    .description(
      "Rewrites the given files in the one format. `-` reads the standard input and prints the result.",
    )
    .argument("<file...>", "the programs to format")
    .option(
      "--check",
      "change nothing; name the files that are not formatted, and fail if there are any",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  lsm fmt model.lsm\n  lsm fmt --check examples/*/*.lsm\n  lsm fmt - < model.lsm",
    )
    .action(async (files: string[], options: FmtOptions) =>
      finish(await fmt(files, options, session)),
    );
};

async function fmt(
  files: readonly string[],
  options: FmtOptions,
  session: Session,
): Promise<ExitCode> {
  if (files.includes(stdin.argument) && files.length > 1) {
    throw new UsageError("`-` reads the standard input, so it cannot be given together with files");
  }
  const { format } = await import("../../../grammar/format.js");
  const broken: Diagnostic[] = [];
  const texts = new Map<string, string>();
  let unformatted = false;
  for (const file of new Set(files)) {
    const piped = file === stdin.argument;
    const path = piped ? stdin.shown : file;
    session.subject = path;
    const before = piped ? await session.readStdin() : session.host.readText(path);
    texts.set(path, before);
    const result = await format(before, path);
    if (result.diagnostics.length > 0) {
      broken.push(...result.diagnostics); // the file stays as it is: nothing may be lost
    } else if (piped && !options.check) {
      session.out.write(result.text);
    } else if (result.text !== before) {
      unformatted = true;
      say(session.out, path);
      if (!options.check) session.host.writeText(path, result.text);
    }
  }
  showDiagnostics(session, broken, (path) => texts.get(path) ?? null);
  return broken.length > 0 || (options.check && unformatted) ? Exit.mistakes : Exit.ok;
}
