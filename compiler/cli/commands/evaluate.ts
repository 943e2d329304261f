/** `lsm evaluate`: a checkpoint's loss on its evaluation data. */

import { backendOption, type Backend } from "../arguments.js";
import { openCheckpoint } from "../checkpoints.js";
import { Exit, type ExitCode } from "../exit.js";
import type { AddCommand } from "../program.js";
import { say, type Session } from "../session.js";

export interface EvaluateOptions {
  readonly json?: true;
  readonly backend?: Backend;
}

export const addEvaluate: AddCommand = (program, session, finish) => {
  program
    .command("evaluate")
    .summary("measure a trained model")
    .description("Measures a checkpoint on the evaluation data of its own program.")
    .argument("<checkpoint>", "a checkpoint file or a run's folder")
    .option("--json", "print the figures as JSON")
    .addOption(backendOption())
    .addHelpText("after", "\nExamples:\n  lsm evaluate runs/moby\n  lsm evaluate runs/moby --json")
    .action(async (checkpoint: string, options: EvaluateOptions) =>
      finish(await evaluate(checkpoint, options, session)),
    );
};

async function evaluate(
  given: string,
  options: EvaluateOptions,
  session: Session,
): Promise<ExitCode> {
  const trained = await openCheckpoint(session, given);
  if (trained === null) return Exit.mistakes;
  const { evaluateCheckpoint, evaluationLines } = await import("../evaluation.js");
  const evaluation = await evaluateCheckpoint(trained, options.backend);
  if (options.json) say(session.out, JSON.stringify(evaluation, null, 2));
  else for (const line of evaluationLines(evaluation)) say(session.out, line);
  return Exit.ok;
}
