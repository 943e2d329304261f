/** `lsm generate`: text from a checkpoint, one token at a time, in constant memory. */

import { naturalNumber, nonNegative, positiveInteger } from "../arguments.js";
import type { ExitCode } from "../exit.js";
import type { AddCommand } from "../program.js";
import type { Session } from "../session.js";
import { notInThisBuild } from "../unfinished.js";

export interface GenerateOptions {
  readonly prompt: string;
  readonly tokens: number;
  /** 0 always takes the likeliest token. */
  readonly temperature: number;
  readonly topK?: number;
  readonly seed?: number;
}

export const addGenerate: AddCommand = (program, session, finish) => {
  program
    .command("generate")
    .summary("write text with a trained model")
    .description(
      "Continues a prompt with a trained model, in the recurrent form: memory does not grow with the text.",
    )
    .argument("<checkpoint>", "a checkpoint file or a run's folder")
    .requiredOption("--prompt <text>", "the text to continue")
    .option("--tokens <n>", "how many tokens to write", positiveInteger, 256)
    .option(
      "--temperature <x>",
      "0 takes the likeliest token, 1 samples as trained",
      nonNegative,
      0.8,
    )
    .option("--top-k <n>", "sample from the n likeliest tokens only", positiveInteger)
    .option("--seed <n>", "the seed of the sampling", naturalNumber)
    .addHelpText(
      "after",
      `
Examples:
  lsm generate runs/moby --prompt "Call me "
  lsm generate runs/moby --prompt "The whale" --tokens 500 --temperature 0.7 --top-k 40 --seed 1`,
    )
    .action(async (checkpoint: string, options: GenerateOptions) =>
      finish(await generate(checkpoint, options, session)),
    );
};

async function generate(
  checkpoint: string,
  _options: GenerateOptions,
  session: Session,
): Promise<ExitCode> {
  session.subject = checkpoint;
  return notInThisBuild("generate", session);
}
