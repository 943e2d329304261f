/** `lsm generate`: text from a checkpoint, one token at a time, in constant memory. */

import {
  backendOption,
  naturalNumber,
  nonNegative,
  positiveInteger,
  type Backend,
} from "../arguments.js";
import { openCheckpoint } from "../checkpoints.js";
import { Exit, UsageError, type ExitCode } from "../exit.js";
import type { AddCommand } from "../program.js";
import { say, type Session } from "../session.js";

export interface GenerateOptions {
  readonly prompt: string;
  readonly tokens: number;
  /** 0 always takes the likeliest token. */
  readonly temperature: number;
  readonly topK?: number;
  readonly seed?: number;
  readonly backend?: Backend;
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
    .option(
      "--seed <n>",
      "the seed of the sampling; the same seed gives the same text",
      naturalNumber,
    )
    .addOption(backendOption())
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
  given: string,
  options: GenerateOptions,
  session: Session,
): Promise<ExitCode> {
  const trained = await openCheckpoint(session, given);
  if (trained === null) return Exit.mistakes;
  const { checkpoint, model, path } = trained;
  if (!checkpoint.tokenizer)
    throw new UsageError(
      `${path} was not trained on text`,
      "`lsm evaluate` measures a model of a generated task",
    );
  const { Writer } = await import("../writer.js");
  const { chooseBackend } = await import("../../../runtime/tfjs/backend.js");
  const { loadWeights } = await import("../../../runtime/tfjs/train/state.js");
  const { tokenizerFrom } = await import("../../../runtime/data/tokenizer-from.js");
  const { parameterSpecs } = await import("../parameters.js");
  const backend = await chooseBackend(options.backend);
  const weights = loadWeights(backend.tf, parameterSpecs(model), checkpoint.weights, path);
  const writer = new Writer(model, tokenizerFrom(checkpoint.tokenizer), backend, weights);
  for await (const text of writer.write({ seed: 0, ...options })) session.out.write(text);
  say(session.out);
  return Exit.ok;
}
