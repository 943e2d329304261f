/** The compiler in a worker: mistakes as one types, and every view of the program. */

import { format } from "../../../grammar/format.js";
import { check } from "../../1-check/check.js";
import type { Checked } from "../../1-check/check.js";
import type { Model } from "../../1-check/model.js";
import { compileTraining } from "../../compile.js";
import { summaryText } from "../../cli/summary-text.js";
import { sizesFor } from "../../cli/sizes.js";
import { summarise } from "../../summary.js";
import { printProgram } from "../../ir/print-program.js";
import { architecture, kernels, render } from "../../6-emit/diagram/diagram.js";
import { PageHost, programPath } from "./page-host.js";
import { answer } from "./rpc.js";
import library from "lsm:library";

export interface Mistake {
  readonly from: number;
  readonly to: number;
  readonly severity: "error" | "warning";
  readonly code: string;
  readonly message: string;
}

export interface Report {
  readonly mistakes: readonly Mistake[];
  /** Models without mistakes. */
  readonly models: readonly string[];
  readonly trainings: readonly {
    readonly name: string;
    readonly model: string;
    readonly text: boolean;
  }[];
}

export const views = {
  diagram: "Diagram",
  summary: "Costs",
  kernels: "Kernels",
  program: "Schedule",
  typescript: "TypeScript",
} as const;
export type View = keyof typeof views;

/** What a view shows: a picture as SVG, or text. */
export interface Shown {
  readonly kind: "svg" | "text";
  readonly content: string;
}

const host = new PageHost(library);
let checked: Checked | null = null;

function look(text: string): Report {
  host.text = text;
  checked = check(host, programPath);
  const { models, trainings, diagnostics } = checked;
  return {
    mistakes: diagnostics.map(({ labels, severity, code, title, help }) => {
      const [first] = labels;
      const own = first?.span.source === programPath ? first : undefined;
      const said = own && own.text !== "" ? `${title}: ${own.text}` : title;
      return {
        from: own?.span.start ?? 0,
        to: own?.span.end ?? 0,
        severity,
        code,
        message: help === null ? said : `${said}\n${help}`,
      };
    }),
    models: [...models.keys()],
    trainings: [...trainings.values()].map(({ name, model, data }) => ({
      name,
      model,
      text: data.kind === "text",
    })),
  };
}

const draw: Readonly<Record<View, (model: Model, program: Checked) => Promise<Shown> | Shown>> = {
  diagram: (model, program) => {
    const figures = summarise(model, sizesFor(program, model).time);
    const drawing = architecture(model, figures, program.sources);
    return { kind: "svg", content: render(drawing, "svg", program.sources) };
  },
  summary: (model, program) => ({
    kind: "text",
    content: summaryText(summarise(model, sizesFor(program, model).time)),
  }),
  kernels: (model, program) => {
    const sizes = sizesFor(program, model);
    const what = `forward pass of ${sizes.batch} × ${sizes.time} tokens`;
    const drawing = kernels(compileTraining(model, sizes).evaluation, { title: model.name, what });
    return { kind: "svg", content: render(drawing, "svg", program.sources) };
  },
  program: (model, program) => ({
    kind: "text",
    content: printProgram(compileTraining(model, sizesFor(program, model)).step),
  }),
  typescript: async (model, program) => {
    const training = [...program.trainings.values()].find((one) => one.model === model.name);
    if (!training)
      return { kind: "text", content: `A trainer needs a \`train\` block for ${model.name}.` };
    const { trainerText } = await import("../../cli/build/trainer.js");
    const place = { source: programPath, data: "." };
    return { kind: "text", content: await trainerText(program, training, place) };
  },
};

const functions = {
  check: look,
  view: (view: View, model: string): Promise<Shown> | Shown => {
    const one = checked?.models.get(model);
    if (!checked || !one) throw new Error("the program has mistakes");
    return draw[view](one, checked);
  },
  format: async (text: string): Promise<string> => (await format(text, programPath)).text,
};
export type CompilerFunctions = typeof functions;

answer(functions);
