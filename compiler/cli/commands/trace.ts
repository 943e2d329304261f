/** `lsm trace`: a program as it stands after any pass of the compiler. */

import type { ExitCode } from "../exit.js";
import type { AddCommand } from "../program.js";
import type { Session } from "../session.js";
import { notInThisBuild } from "../unfinished.js";

export interface TraceOptions {
  /** A pass; without one, the passes are listed. */
  readonly after?: string;
  readonly model?: string;
}

export const addTrace: AddCommand = (program, session, finish) => {
  program
    .command("trace")
    .summary("print a program between two passes")
    .description(
      "Prints a model as it stands after a pass of the compiler. Without --after, lists the passes.",
    )
    .argument("<file>", "the program")
    .option("--after <pass>", "the pass after which to print")
    .option("--model <name>", "the model to follow; needed only when there are several")
    .addHelpText(
      "after",
      "\nExamples:\n  lsm trace model.lsm\n  lsm trace model.lsm --after lower --model Starter",
    )
    .action(async (file: string, options: TraceOptions) =>
      finish(await trace(file, options, session)),
    );
};

async function trace(file: string, _options: TraceOptions, session: Session): Promise<ExitCode> {
  session.subject = file;
  return notInThisBuild("trace", session);
}
