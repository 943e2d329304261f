/** `lsm train`: trains a model to a checkpoint. */

import { join } from "node:path";
import { Option } from "commander";
import {
  backendOption,
  naturalNumber,
  port,
  positiveInteger,
  targetOption,
  type Backend,
  type Target,
} from "../arguments.js";
import { packageRoot } from "../build/package-root.js";
import { Exit, UsageError, type ExitCode } from "../exit.js";
import { type FormFlags, chunkOption, formOption, formsOf } from "../forms.js";
import type { AddCommand } from "../program.js";
import { chooseTraining, loadProgram } from "../programs.js";
import { say, type Session } from "../session.js";

export interface TrainOptions extends FormFlags {
  /** The train block to run; needed when the file has several. */
  readonly train?: string;
  readonly target: Target;
  readonly backend?: Backend;
  readonly steps?: number;
  readonly out?: string;
  readonly seed?: number;
  /** `auto`: from the newest checkpoint of the run's folder, if any; otherwise a checkpoint's path. */
  readonly resume?: string;
  /** The port of a page that shows the run while it goes on. */
  readonly ui?: number;
}

/** What stands for all train blocks of a file. */
const all = "all";

export const addTrain: AddCommand = (program, session, finish) => {
  program
    .command("train")
    .summary("train a model")
    .description(
      "Trains a model: a progress line, a loss curve, checkpoints, and samples of what it writes.",
    )
    .argument("<file>", "the program")
    .option(
      "--train <name>",
      "the train block to run, needed only when there are several; `all` runs and compares them",
    )
    .addOption(targetOption().default("tfjs"))
    .addOption(backendOption())
    .option("--steps <n>", "stop after this many steps, whatever the program says", positiveInteger)
    .option("--out <dir>", "the run's folder (default: under runs/)")
    .option("--ui [port]", "serve a page that shows the run while it goes on", port)
    .option("--seed <n>", "the seed of all random streams", naturalNumber)
    .addOption(
      new Option(
        "--resume [path]",
        "go on from a checkpoint; `auto`, or no path, takes the run's newest",
      ).preset("auto"),
    )
    .addOption(formOption())
    .addOption(chunkOption())
    .addHelpText(
      "after",
      `
Examples:
  lsm train model.lsm
  lsm train model.lsm --train pretrain --steps 200 --seed 1
  lsm train model.lsm --resume auto
  lsm train model.lsm --ui`,
    )
    .action(async (file: string, { ui, ...options }: Given) =>
      finish(await train(file, { ...options, ...uiPort(ui) }, session)),
    );
};

/** `--ui` without a port is true. */
type Given = Omit<TrainOptions, "ui"> & { readonly ui?: number | true };

const uiPort = (ui: number | true | undefined): { readonly ui?: number } =>
  ui === undefined ? {} : { ui: ui === true ? 6006 : ui };

async function train(file: string, options: TrainOptions, session: Session): Promise<ExitCode> {
  formsOf(options, options.target); // refuses what cannot be
  const checked = await loadProgram(session, file);
  if (checked === null) return Exit.mistakes;
  const { trainings } = checked;
  if (options.ui !== undefined) await servePage(options.ui, options.out, session);
  const { trainAll, trainOne } = await import("../train/train.js");
  if (options.train === all && !trainings.has(all)) {
    if (options.resume !== undefined && options.resume !== "auto")
      throw new UsageError("one checkpoint cannot go on as several runs", "choose a --train");
    if (options.target === "torch") {
      const { trainAllOnTorch } = await import("../train/torch.js");
      return trainAllOnTorch(checked, options, session);
    }
    return trainAll(checked, options, session);
  }
  const training = chooseTraining(checked, file, options.train);
  if (options.target === "torch") {
    const { trainOnTorch } = await import("../train/torch.js");
    return (await trainOnTorch(checked, training, options, session)).status;
  }
  const { exitCode } = await trainOne(checked, training, options, session);
  return exitCode as ExitCode;
}

/** The page shows the runs beside this one as well. */
async function servePage(chosen: number, out: string | undefined, session: Session): Promise<void> {
  const { serveLiveBeside } = await import("../../../runtime/live/beside.node.js");
  const dist = join(packageRoot(), "dist");
  const job = { roots: [out ?? "runs"], port: chosen, page: join(dist, "live") };
  const { url } = await serveLiveBeside(join(dist, "live-worker.js"), job);
  say(session.out, `page       ${url}`);
}
