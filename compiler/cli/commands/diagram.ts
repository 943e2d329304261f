/** `lsm diagram`: a picture of a model, straight from its source. */

import { Option } from "commander";
import type { Checked } from "../../1-check/check.js";
import type { Format, View } from "../../6-emit/diagram/diagram.js";
import type { Drawing } from "../../6-emit/diagram/drawing.js";
import { Exit, type ExitCode, UsageError } from "../exit.js";
import type { AddCommand } from "../program.js";
import { chooseModel, loadProgram } from "../programs.js";
import { say, type Session } from "../session.js";
import { sizesFor } from "../sizes.js";

export interface DiagramOptions {
  readonly model?: string;
  readonly out: string;
  readonly force?: true;
  readonly view: View;
  readonly training?: true;
  readonly parallel?: string;
}

const endings: Readonly<Record<string, Format | "png">> = {
  svg: "svg",
  png: "png",
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
    .requiredOption("--out <file>", "the picture to write: .svg, .html, .png, .mmd or .dot")
    .option("--model <name>", "the model to draw; needed only when there are several")
    .addOption(
      new Option(
        "--view <view>",
        "the model as written, the kernels that run, or how it lies on a mesh",
      )
        .choices(["architecture", "kernels", "mesh"] satisfies View[])
        .default("architecture"),
    )
    .option("--training", "with --view kernels: the training step instead of the forward pass")
    .option(
      "--parallel <name>",
      "with --view mesh: the `parallel` block; needed only when there are several",
    )
    .option("--force", "replace the picture when there is one")
    .addHelpText(
      "after",
      "\nExamples:\n  lsm diagram model.lsm --out model.svg\n  lsm diagram model.lsm --model Starter --out model.html --force\n  lsm diagram model.lsm --view kernels --out kernels.html\n  lsm diagram model.lsm --view mesh --parallel pod --out pod.svg",
    )
    .action(async (file: string, options: DiagramOptions) =>
      finish(await diagram(file, options, session)),
    );
};

async function diagram(file: string, options: DiagramOptions, session: Session): Promise<ExitCode> {
  const { out, force, view, training, parallel } = options;
  const format = formatOf(out);
  if (training && view !== "kernels")
    throw new UsageError("--training draws kernels", "add --view kernels");
  if (parallel !== undefined && view !== "mesh")
    throw new UsageError("--parallel chooses a mesh", "add --view mesh");
  if (!force && session.host.exists(out))
    throw new UsageError(`${out} is there already`, "give --force to replace it");
  const checked = await loadProgram(session, file);
  if (checked === null) return Exit.mistakes;
  const { render } = await import("../../6-emit/diagram/diagram.js");
  const drawing = await draw[view](checked, options, session);
  if (drawing === null) return Exit.mistakes;
  const text = render(drawing, format === "png" ? "svg" : format, checked.sources);
  if (format === "png") session.host.writeBytes(out, await (await import("../png.js")).png(text));
  else session.host.writeText(out, text);
  say(session.out, out);
  return Exit.ok;
}

/** Null when the program has a mistake that only this view sees, which is then shown. */
type Draw = (
  checked: Checked,
  options: DiagramOptions,
  session: Session,
) => Promise<Drawing | null>;

const draw: Readonly<Record<View, Draw>> = {
  architecture: async (checked, { model: name }) => {
    const model = chooseModel(checked, name);
    const { architecture } = await import("../../6-emit/diagram/diagram.js");
    const { summarise } = await import("../../summary.js");
    const { time, packed } = sizesFor(checked, model);
    const figures = summarise(model, time, packed);
    return architecture(model, figures, checked.sources);
  },
  kernels: async (checked, { model: name, training }) => {
    const model = chooseModel(checked, name);
    const { kernels } = await import("../../6-emit/diagram/diagram.js");
    const { compileTraining } = await import("../../compile.js");
    const sizes = sizesFor(checked, model);
    const { optimizerFor } = await import("../optimizer-options.js");
    const ending = optimizerFor(checked, model);
    const { step, evaluation } = compileTraining(model, sizes, undefined, ending);
    const tokens = `${sizes.batch} × ${sizes.time} tokens`;
    const what = `${training ? "training step on" : "forward pass of"} ${tokens}`;
    return kernels(training ? step : evaluation, { title: model.name, what });
  },
  mesh: async (checked, { model, parallel }, session) => {
    const { mesh } = await import("../../6-emit/diagram/diagram.js");
    const { chooseMesh, planFor } = await import("../planned.js");
    const plan = await planFor(await chooseMesh(checked, parallel, model), checked, session);
    return plan && mesh(plan);
  },
};

function formatOf(out: string): Format | "png" {
  const ending = /\.([a-z]+)$/i.exec(out)?.[1]?.toLowerCase();
  const format = ending === undefined ? undefined : endings[ending];
  if (format !== undefined) return format;
  throw new UsageError(`${out}: a picture ends in .svg, .html, .png, .mmd or .dot`);
}
