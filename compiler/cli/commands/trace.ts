/** `lsm trace`: a program as it stands after any pass of the compiler. */

import type { Model } from "../../1-check/model.js";
import type { FormOptions } from "../../3-derive/forms/forms.js";
import type { TrainingStages } from "../../compile.js";
import { didYouMean } from "../../diagnostics/suggest.js";
import { Exit, UsageError, type ExitCode } from "../exit.js";
import { type FormFlags, chunkOption, formOption, formsOf } from "../forms.js";
import type { AddCommand } from "../program.js";
import { chooseModel, loadProgram } from "../programs.js";
import { say, type Session } from "../session.js";
import { sizesFor } from "../sizes.js";

export interface TraceOptions extends FormFlags {
  /** A pass; without one, the passes are listed. */
  readonly after?: string;
  readonly model?: string;
}

const passes = {
  token: "checked: one graph a block, for one token; batch and time are implicit",
  lower: "lowered: batch and time are axes, recurrences are scans, routes are sorted slots",
  "normal-form": "each state's step in normal form: its operands, its family, the form chosen",
  forms: "every recurrence in the form it will run in",
  gradient: "the same with its gradients: what a training step computes",
  schedule: "the training step as kernels in order, with the life of every buffer",
  decode: "the recurrent form as kernels: one token in, one out",
} as const;

type Pass = keyof typeof passes;

export const addTrace: AddCommand = (program, session, finish) => {
  program
    .command("trace")
    .summary("print a program between two passes")
    .description(
      "Prints a model as it stands after a pass of the compiler. Without --after, lists the passes.",
    )
    .argument("<file>", "the program")
    .option("--after <pass>", "the pass after which to print")
    .option("--model <name>", "the model to follow; needed only when there are several")
    .addOption(formOption())
    .addOption(chunkOption())
    .addHelpText(
      "after",
      "\nExamples:\n  lsm trace model.lsm\n  lsm trace model.lsm --after lower --model Starter",
    )
    .action(async (file: string, options: TraceOptions) =>
      finish(await trace(file, options, session)),
    );
};

async function trace(
  file: string,
  { after, model: name, ...flags }: TraceOptions,
  session: Session,
): Promise<ExitCode> {
  if (after === undefined) {
    for (const [pass, text] of Object.entries(passes))
      say(session.out, `${pass.padEnd(13)}${text}`);
    return Exit.ok;
  }
  if (!isPass(after)) {
    const names = Object.keys(passes);
    const help = didYouMean(after, names) ?? `the passes are ${names.join(", ")}`;
    throw new UsageError(`there is no pass \`${after}\``, help);
  }
  const checked = await loadProgram(session, file);
  if (checked === null) return Exit.mistakes;
  const model = chooseModel(checked, name);
  session.out.write(await textAfter(after, model, sizesFor(checked, model), formsOf(flags)));
  return Exit.ok;
}

const isPass = (name: string): name is Pass => Object.hasOwn(passes, name);

async function textAfter(
  pass: Pass,
  model: Model,
  sizes: { readonly batch: number; readonly time: number },
  forms: FormOptions,
): Promise<string> {
  const { compileDecoding, compileTraining } = await import("../../compile.js");
  const { printProgram } = await import("../../ir/print-program.js");
  if (pass === "decode") return printProgram(compileDecoding(model, sizes.time).program);
  const stages = compileTraining(model, sizes, forms);
  if (pass === "normal-form")
    return (await import("../normal-form-text.js")).normalFormText(stages.recurrences);
  return pass === "schedule" ? printProgram(stages.gradients) : graphsAfter(pass, stages);
}

async function graphsAfter(
  pass: Exclude<Pass, "decode" | "normal-form" | "schedule">,
  stages: TrainingStages,
): Promise<string> {
  const { printGraph } = await import("../../ir/print.js");
  const { main, functions } = {
    token: stages.token,
    lower: stages.lowered,
    forms: stages.formed,
    gradient: stages.differentiated,
  }[pass];
  const names = [main, ...[...functions.keys()].filter((name) => name !== main)];
  return names
    .map((name) => `function ${name}\n${printGraph(functions.get(name)!, "  ")}`)
    .join("\n");
}
