/** `lsm evaluate`: a checkpoint's loss on its evaluation data. */

import type { ExitCode } from "../exit.js";
import type { AddCommand } from "../program.js";
import type { Session } from "../session.js";
import { notInThisBuild } from "../unfinished.js";

export interface EvaluateOptions {
  readonly json?: true;
}

export const addEvaluate: AddCommand = (program, session, finish) => {
  program
    .command("evaluate")
    .summary("measure a trained model")
    .description("Measures a checkpoint on the evaluation data of its own program.")
    .argument("<checkpoint>", "a checkpoint file or a run's folder")
    .option("--json", "print the figures as JSON")
    .addHelpText("after", "\nExamples:\n  lsm evaluate runs/moby\n  lsm evaluate runs/moby --json")
    .action(async (checkpoint: string, options: EvaluateOptions) =>
      finish(await evaluate(checkpoint, options, session)),
    );
};

async function evaluate(
  checkpoint: string,
  _options: EvaluateOptions,
  session: Session,
): Promise<ExitCode> {
  session.subject = checkpoint;
  return notInThisBuild("evaluate", session);
}
