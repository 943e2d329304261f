/** `lsm init`: a commented first program to change. */

import { basename } from "node:path";
import { Exit, UsageError, type ExitCode } from "../exit.js";
import type { AddCommand } from "../program.js";
import { say, type Session } from "../session.js";
import { starter } from "../starter.js";

export interface InitOptions {
  readonly force?: true;
}

export const addInit: AddCommand = (program, session, finish) => {
  program
    .command("init")
    .summary("write a commented starter program")
    .description(
      "Writes a small hybrid model with its data and its training, commented line by line.",
    )
    .argument("[file]", "the file to write", "model.lsm")
    .option("--force", "replace the file if there is one")
    .addHelpText("after", "\nExamples:\n  lsm init\n  lsm init experiments/first.lsm")
    .action((file: string, options: InitOptions) => finish(init(file, options, session)));
};

function init(file: string, options: InitOptions, session: Session): ExitCode {
  if (session.host.exists(file) && !options.force) {
    throw new UsageError(`${file} exists already`, "give another name, or --force to replace it");
  }
  session.host.writeText(file, starter(basename(file)));
  say(session.out, `wrote ${file}`);
  say(
    session.out,
    `Put text files into a folder \`corpus\` beside it, then run: lsm train ${file}`,
  );
  return Exit.ok;
}
