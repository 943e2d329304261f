/** `lsm build`: the emitted program, to read, keep and run elsewhere. */

import { targetOption, type Target } from "../arguments.js";
import type { ExitCode } from "../exit.js";
import type { AddCommand } from "../program.js";
import type { Session } from "../session.js";
import { notInThisBuild } from "../unfinished.js";

export interface BuildOptions {
  readonly target: Target;
  readonly out: string;
}

export const addBuild: AddCommand = (program, session, finish) => {
  program
    .command("build")
    .summary("write the trainer's source")
    .description(
      "Compiles a program to a readable trainer of its own: TypeScript on tfjs, or PyTorch.",
    )
    .argument("<file>", "the program")
    .addOption(targetOption().makeOptionMandatory())
    .requiredOption("--out <dir>", "the folder to write to")
    .addHelpText(
      "after",
      "\nExamples:\n  lsm build model.lsm --target tfjs --out trainer\n  lsm build model.lsm --target torch --out trainer",
    )
    .action(async (file: string, options: BuildOptions) =>
      finish(await build(file, options, session)),
    );
};

async function build(file: string, _options: BuildOptions, session: Session): Promise<ExitCode> {
  session.subject = file;
  return notInThisBuild("build", session);
}
