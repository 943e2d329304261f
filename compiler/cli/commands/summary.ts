/** `lsm summary`: what a model costs before it is trained. */

import type { ExitCode } from "../exit.js";
import type { AddCommand } from "../program.js";
import type { Session } from "../session.js";
import { notInThisBuild } from "../unfinished.js";

export interface SummaryOptions {
  readonly model?: string;
  readonly json?: true;
}

export const addSummary: AddCommand = (program, session, finish) => {
  program
    .command("summary")
    .summary("count parameters, FLOPs and state bytes")
    .description(
      "Counts parameters (all, and those activated for a token), FLOPs a token and state bytes, per block.",
    )
    .argument("<file>", "the program")
    .option("--model <name>", "the model to count; needed only when there are several")
    .option("--json", "print the figures as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  lsm summary model.lsm\n  lsm summary model.lsm --model Starter --json",
    )
    .action(async (file: string, options: SummaryOptions) =>
      finish(await summarise(file, options, session)),
    );
};

async function summarise(
  file: string,
  _options: SummaryOptions,
  session: Session,
): Promise<ExitCode> {
  session.subject = file;
  return notInThisBuild("summary", session);
}
