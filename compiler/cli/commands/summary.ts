/** `lsm summary`: what a model costs before it is trained. */

import { naturalNumber, positiveInteger } from "../arguments.js";
import { Exit, UsageError, type ExitCode } from "../exit.js";
import type { AddCommand } from "../program.js";
import { chooseModel, loadProgram } from "../programs.js";
import { say, type Session } from "../session.js";
import { sizesFor } from "../sizes.js";

export interface SummaryOptions {
  readonly model?: string;
  readonly tokens?: number;
  readonly depth: number;
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
    .option(
      "--tokens <n>",
      "the length of the sequence that is counted (default: that of the model's training)",
      positiveInteger,
    )
    .option("--depth <n>", "how many levels of parts to show inside the blocks", naturalNumber, 1)
    .option("--json", "print the figures as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  lsm summary model.lsm\n  lsm summary model.lsm --tokens 65536 --depth 2\n  lsm summary model.lsm --model Starter --json",
    )
    .action(async (file: string, options: SummaryOptions) =>
      finish(await summarise(file, options, session)),
    );
};

async function summarise(
  file: string,
  { model: name, tokens, depth, json }: SummaryOptions,
  session: Session,
): Promise<ExitCode> {
  const checked = await loadProgram(session, file);
  if (checked === null) return Exit.mistakes;
  const model = chooseModel(checked, name);
  const compiler = await import("../../summary.js");
  const { time, packed } = sizesFor(checked, model);
  if (tokens !== undefined && model.window)
    throw new UsageError(
      `${model.name} reads windows of ${model.window.tokens} tokens`,
      "leave --tokens out",
    );
  const summary = compiler.summarise(model, tokens ?? time, packed);
  if (json) say(session.out, JSON.stringify(summary, null, 2));
  else {
    session.out.write((await import("../summary-text.js")).summaryText(summary, depth));
    const { optimizerLines } = await import("../optimizer-lines.js");
    for (const line of optimizerLines(checked, model)) say(session.out, line);
  }
  return Exit.ok;
}
