/** `lsm generate`: what follows: text, one token at a time and in constant memory, or the forecast of a series. */

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
  /** The text to continue, or the table. */
  readonly prompt?: string;
  readonly csv?: string;
  readonly json?: true;
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
    .summary("write text, or forecast a series, with a trained model")
    .description(
      "Continues a prompt with a trained model, in the recurrent form: memory does not grow with the text. A model of series forecasts what follows the last rows of a table, and writes that as a table.",
    )
    .argument("<checkpoint>", "a checkpoint file or a run's folder")
    .option("--prompt <text>", "the text to continue")
    .option("--csv <file>", "the table to continue, for a model of series")
    .option("--json", "write a forecast as JSON")
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
  lsm generate runs/moby --prompt "The whale" --tokens 500 --temperature 0.7 --top-k 40 --seed 1
  lsm generate runs/time-ssm --csv weather.csv`,
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
  const { prompt, csv, json } = options;
  if (prompt === undefined && csv === undefined)
    throw new UsageError(
      "there is nothing to continue",
      "give a text, --prompt TEXT, or for a model of series a table, --csv FILE",
    );
  const trained = await openCheckpoint(session, given);
  if (trained === null) return Exit.mistakes;
  const { checkpoint, model, path } = trained;
  if (model.window) {
    if (csv === undefined)
      throw new UsageError(
        `${path} is a model of series, and continues tables`,
        "give it one: --csv FILE, with the columns it was trained on",
      );
    const { forecastCsv, forecastTable } = await import("../forecasting.js");
    const forecast = await forecastTable(trained, model.window, csv, options.backend);
    session.out.write(json ? `${JSON.stringify(forecast, null, 2)}\n` : forecastCsv(forecast));
    return Exit.ok;
  }
  if (csv !== undefined || json)
    throw new UsageError(`${path} is no model of series`, "give a text to continue: --prompt TEXT");
  if (!checkpoint.tokenizer)
    throw new UsageError(
      `${path} was not trained on text`,
      "`lsm evaluate` measures a model of a generated task",
    );
  if (prompt === undefined)
    throw new UsageError(`${path} is a model of text`, 'give a text to continue: --prompt "The "');
  const { Writer } = await import("../writer.js");
  const { chooseBackend } = await import("../../../runtime/tfjs/backend.js");
  const { loadWeights } = await import("../../../runtime/tfjs/train/state.js");
  const { tokenizerFrom } = await import("../../../runtime/data/tokenizer-from.js");
  const { parameterSpecs } = await import("../parameters.js");
  const backend = await chooseBackend(options.backend);
  const weights = loadWeights(backend.tf, parameterSpecs(model), checkpoint.weights, path);
  const writer = new Writer(model, tokenizerFrom(checkpoint.tokenizer), backend, weights);
  for await (const text of writer.write({ seed: 0, ...options, prompt })) session.out.write(text);
  say(session.out);
  return Exit.ok;
}
