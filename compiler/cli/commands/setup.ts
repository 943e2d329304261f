/** `lsm setup`: optional parts that this machine can have and npm cannot install. */

import { Exit, type ExitCode } from "../exit.js";
import type { AddCommand } from "../program.js";
import { say, type Session } from "../session.js";

export interface SetupNativeOptions {
  readonly tensorflow?: string;
}

export const addSetup: AddCommand = (program, session, finish) => {
  const setup = program
    .command("setup")
    .summary("install optional parts")
    .description("Installs parts that make lsm faster on this machine.");
  setup
    .command("native")
    .summary("build tfjs's native backend over TensorFlow")
    .description(
      "Builds tfjs's native backend over an installed TensorFlow: the Python one it finds, or the one given.",
    )
    .option(
      "--tensorflow <dir>",
      "the folder of the TensorFlow package, where its libtensorflow_cc.so.2 lies",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  lsm setup native\n  lsm setup native --tensorflow .venv/lib/python3.12/site-packages/tensorflow",
    )
    .action(async (options: SetupNativeOptions) => finish(await setupNative(options, session)));
};

async function setupNative(options: SetupNativeOptions, session: Session): Promise<ExitCode> {
  const native = await import("../../../runtime/tfjs/native/index.js");
  await native.setupNative(options, (line) => say(session.out, line));
  say(session.out, "`lsm train` uses it from now on; --backend wasm goes without.");
  return Exit.ok;
}
