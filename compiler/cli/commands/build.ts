/** `lsm build`: the emitted program, to read, keep and run elsewhere. */

import { dirname } from "node:path";
import type { Training } from "../../1-check/blocks/training.js";
import type { Checked } from "../../1-check/check.js";
import type { FormOptions } from "../../3-derive/forms/forms.js";
import { targetOption, type Target } from "../arguments.js";
import { Exit, UsageError, type ExitCode } from "../exit.js";
import { type FormFlags, chunkOption, formOption, formsOf } from "../forms.js";
import type { AddCommand } from "../program.js";
import { chooseTraining, loadProgram } from "../programs.js";
import { resolvedSource } from "../resolved-source.js";
import { say, type Session } from "../session.js";
import { sizesOf } from "../sizes.js";

export interface BuildOptions extends FormFlags {
  /** The train block to build for; needed when the file has several. */
  readonly train?: string;
  readonly target: Target;
  readonly out: string;
  /** Whether a folder with something in it may be written to. */
  readonly force?: true;
}

interface OutputFile {
  readonly name: string; // a plain name: nothing is written outside of the folder
  readonly text: string;
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
    .option("--train <name>", "the train block to build for; needed only when there are several")
    .option("--force", "write into a folder that is not empty, replacing files of the same names")
    .addOption(formOption())
    .addOption(chunkOption())
    .addHelpText(
      "after",
      "\nExamples:\n  lsm build model.lsm --target tfjs --out trainer\n  lsm build model.lsm --target tfjs --out trainer --train pretrain --force",
    )
    .action(async (file: string, options: BuildOptions) =>
      finish(await build(file, options, session)),
    );
};

async function build(file: string, options: BuildOptions, session: Session): Promise<ExitCode> {
  session.subject = file;
  const forms = formsOf(options, options.target);
  refuseFullFolder(options, session);
  const checked = await loadProgram(session, file);
  if (checked === null) return Exit.mistakes;
  const training = chooseTraining(checked, file, options.train);
  if (options.target === "torch") {
    const { writeTorchProject } = await import("../build/torch.js");
    writeTorchProject(checked, training, options.out, session, (path) =>
      say(session.out, `wrote ${path}`),
    );
    return Exit.ok;
  }
  if (training.precision !== "fp32")
    say(session.err, `note: the trainer computes in fp32: tfjs has no ${training.precision}`);
  const files = await trainerFolder(checked, training, forms, options.out);
  for (const { name, text } of files) {
    const path = `${options.out.replace(/\/+$/, "")}/${name}`;
    session.host.writeText(path, text);
    say(session.out, `wrote ${path}`);
  }
  return Exit.ok;
}

function refuseFullFolder({ out, force }: BuildOptions, { host }: Session): void {
  if (force || !host.exists(out) || host.list(out).length === 0) return;
  throw new UsageError(
    `${out} is not empty`,
    "give another folder, or --force to replace the files of the same names",
  );
}

async function trainerFolder(
  checked: Checked,
  training: Training,
  forms: FormOptions,
  out: string,
): Promise<readonly OutputFile[]> {
  const { compileTraining } = await import("../../compile.js");
  const { trainerText } = await import("../build/trainer.js");
  const { packageJson, readme, tsconfigJson } = await import("../build/package-files.js");
  const { pathFrom, stemOf } = await import("../build/paths.js");
  const stem = stemOf(checked.path);
  const source = `${stem}.lsm`;
  const data = pathFrom(out, dirname(checked.path));
  const facts = { out, stem, model: training.model, training: training.name };
  const programs = compileTraining(checked.models.get(training.model)!, sizesOf(training), forms);
  const text = await trainerText(checked, training, { source, data }, { programs });
  return [
    { name: "trainer.ts", text },
    { name: source, text: resolvedSource(checked) },
    { name: "README.md", text: readme(facts) },
    { name: "package.json", text: packageJson(facts) },
    { name: "tsconfig.json", text: tsconfigJson() },
  ];
}
