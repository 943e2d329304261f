/** The command line as a whole: the commands in the order in which a newcomer meets them. */

import type { CommanderError } from "commander";
import { Command } from "commander";
import { addBuild } from "./commands/build.js";
import { addCheck } from "./commands/check.js";
import { addDiagram } from "./commands/diagram.js";
import { addDiff } from "./commands/diff.js";
import { addEvaluate } from "./commands/evaluate.js";
import { addExplain } from "./commands/explain.js";
import { addFmt } from "./commands/fmt.js";
import { addGenerate } from "./commands/generate.js";
import { addImport } from "./commands/import.js";
import { addInit } from "./commands/init.js";
import { addLsp } from "./commands/lsp.js";
import { addSetup } from "./commands/setup.js";
import { addSummary } from "./commands/summary.js";
import { addTrace } from "./commands/trace.js";
import { addTrain } from "./commands/train.js";
import { addUi } from "./commands/ui.js";
import { Exit, type ExitCode } from "./exit.js";
import { reportFailure } from "./failure.js";
import type { Session } from "./session.js";
import { version } from "./version.js";

/** Hands a command's exit code to the run that started it. */
export type Finish = (code: ExitCode) => void;

/** Adds one command; every file in `commands/` exports one of these. */
export type AddCommand = (program: Command, session: Session, finish: Finish) => void;

const commands: readonly AddCommand[] = [
  addInit,
  addCheck,
  addFmt,
  addTrain,
  addUi,
  addGenerate,
  addEvaluate,
  addSummary,
  addDiff,
  addDiagram,
  addBuild,
  addImport,
  addTrace,
  addExplain,
  addLsp,
  addSetup,
];

/** Runs one command line to its exit code. Nothing is thrown, whatever happens. */
export async function run(argv: readonly string[], session: Session): Promise<ExitCode> {
  let code: ExitCode = Exit.ok;
  try {
    const program = createProgram(session, (finished) => (code = finished));
    if (argv.length === 0) {
      program.outputHelp({ error: true });
      return Exit.usage;
    }
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    return reportFailure(error, session);
  }
}

function createProgram(session: Session, finish: Finish): Command {
  const program = new Command("lsm")
    .description("Compiles, trains and runs linear-sequence models and mixtures of experts.")
    .version(version, "-v, --version", "print the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [command]", "show the help of a command")
    .showHelpAfterError("Add --help to see how it is used.")
    .exitOverride((error: CommanderError) => {
      throw error;
    })
    .configureOutput({
      writeOut: (text) => session.out.write(text),
      writeErr: (text) => session.err.write(text),
      getOutHasColors: () => session.out.colour,
      getErrHasColors: () => session.err.colour,
    })
    .addHelpText(
      "after",
      `
Exit codes: 0 fine, 1 mistakes in your program, 2 wrong usage, 3 the environment
(a missing file, a full disk), 70 a mistake in lsm itself.`,
    );
  for (const add of commands) add(program, session, finish);
  return program;
}
