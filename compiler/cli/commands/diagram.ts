/** `lsm diagram`: a picture of a model, straight from its source. */

import { Option } from "commander";
import type { Format } from "../../6-emit/diagram/diagram.js";
import { Exit, type ExitCode, UsageError } from "../exit.js";
import type { AddCommand } from "../program.js";
import { chooseModel, loadProgram } from "../programs.js";
import { say, type Session } from "../session.js";
import { sizesFor } from "../sizes.js";

export interface DiagramOptions {
  readonly model?: string;
  readonly out: string;
  readonly force?: true;
}

const endings: Readonly<Record<string, Format>> = {
  svg: "svg",
  html: "html",
  mmd: "mmd",
  mermaid: "mmd",
  dot: "dot",
  gv: "dot",
};

export const addDiagram: AddCommand = (program, session, finish) => {
  program
    .command("diagram")
    .summary("draw a model")
    .description(
      "Draws a model from its source: its blocks with repeats folded, every recurrence with its step, axes on every wire, and what each part costs.",
    )
    .argument("<file>", "the program")
    .requiredOption("--out <file>", "the picture to write: .svg, .html, .mmd or .dot")
    .option("--model <name>", "the model to draw; needed only when there are several")
    .addOption(
      new Option("--view <view>", "what to draw").choices(["architecture"]).default("architecture"),
    )
    .option("--force", "replace the picture when there is one")
    .addHelpText(
      "after",
      "\nExamples:\n  lsm diagram model.lsm --out model.svg\n  lsm diagram model.lsm --model Starter --out model.html --force",
    )
    .action(async (file: string, options: DiagramOptions) =>
      finish(await diagram(file, options, session)),
    );
};

async function diagram(
  file: string,
  { model: name, out, force }: DiagramOptions,
  session: Session,
): Promise<ExitCode> {
  const format = formatOf(out);
  if (!force && session.host.exists(out))
    throw new UsageError(`${out} is there already`, "give --force to replace it");
  const checked = await loadProgram(session, file);
  if (checked === null) return Exit.mistakes;
  const model = chooseModel(checked, name);
  const { architecture, render } = await import("../../6-emit/diagram/diagram.js");
  const { summarise } = await import("../../summary.js");
  const figures = summarise(model, sizesFor(checked, model.name).time);
  const drawing = architecture(model, figures, checked.sources);
  session.host.writeText(out, render(drawing, format, checked.sources));
  say(session.out, out);
  return Exit.ok;
}

function formatOf(out: string): Format {
  const ending = /\.([a-z]+)$/i.exec(out)?.[1]?.toLowerCase();
  const format = ending === undefined ? undefined : endings[ending];
  if (format !== undefined) return format;
  throw new UsageError(`${out}: a picture ends in .svg, .html, .mmd or .dot`);
}
