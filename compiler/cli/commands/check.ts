/** `lsm check`: every mistake in the given files, or nothing. */

import type { Diagnostic } from "../../diagnostics/diagnostic.js";
import { renderJson } from "../../diagnostics/render/json.js";
import { byPlace } from "../../diagnostics/report.js";
import { HostError } from "../../host.js";
import { Exit, type ExitCode } from "../exit.js";
import { reportFailure } from "../failure.js";
import type { AddCommand } from "../program.js";
import { say, showDiagnostics, sourceLookup, type Session } from "../session.js";

export interface CheckOptions {
  readonly json?: true;
}

export const addCheck: AddCommand = (program, session, finish) => {
  program
    .command("check")
    .summary("report every mistake in a program")
    .description(
      "Reports every mistake in the given files, each with its place and a way out; nothing when there is none.",
    )
    .argument("<file...>", "the programs to check")
    .option("--json", "print the diagnostics as JSON, on the standard output")
    .addHelpText("after", "\nExamples:\n  lsm check model.lsm\n  lsm check --json examples/*/*.lsm")
    .action(async (files: string[], options: CheckOptions) =>
      finish(await check(files, options, session)),
    );
};

async function check(
  files: readonly string[],
  options: CheckOptions,
  session: Session,
): Promise<ExitCode> {
  const { check: checkProgram } = await import("../../1-check/check.js");
  const { sequenceFormMistakes } = await import("../../sequence-forms.js");
  const diagnostics: Diagnostic[] = [];
  let failure: ExitCode | null = null;
  for (const path of new Set(files)) {
    session.subject = path;
    try {
      const checked = checkProgram(session.host, path);
      diagnostics.push(...checked.diagnostics, ...sequenceFormMistakes(checked));
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      failure = reportFailure(error, session); // the other files still get their say
    }
  }
  diagnostics.sort(byPlace);
  if (options.json) say(session.out, renderJson(diagnostics, sourceLookup(session)));
  else showDiagnostics(session, diagnostics);
  if (failure !== null) return failure;
  return diagnostics.some(({ severity }) => severity === "error") ? Exit.mistakes : Exit.ok;
}
