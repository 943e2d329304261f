/** The compiler in a worker: mistakes as one types, and every view of the program. */

import type { Position } from "vscode-languageserver-types";
import type { Span } from "../../../grammar/ast.js";
import { format } from "../../../grammar/format.js";
import type { Checked } from "../../1-check/check.js";
import type { Model } from "../../1-check/model.js";
import { compileTraining } from "../../compile.js";
import { summaryText } from "../../cli/summary-text.js";
import { sizesFor } from "../../cli/sizes.js";
import { completion } from "../../server/features/completion/completion.js";
import { hover } from "../../server/features/hover.js";
import { inlayHints } from "../../server/features/inlay-hints.js";
import type { Program } from "../../server/program.js";
import { Workspace } from "../../server/workspace.js";
import { summarise } from "../../summary.js";
import { printProgram } from "../../ir/print-program.js";
import { architecture, kernels, render } from "../../6-emit/diagram/diagram.js";
import { pageHost, programPath } from "./page-host.js";
import { answer } from "./rpc.js";
import library from "lsm:library";

export interface Mistake {
  readonly from: number;
  readonly to: number;
  readonly severity: "error" | "warning";
  readonly code: string;
  readonly message: string;
  /** What would put it right. */
  readonly fix: { readonly from: number; readonly to: number; readonly text: string } | null;
}

/** The axes of a name, to be shown behind it. */
export interface Hint {
  readonly at: number;
  readonly text: string;
}

export interface Proposal {
  readonly label: string;
  readonly detail: string;
  readonly doc: string;
  readonly insert: string;
}

export interface Report {
  readonly hints: readonly Hint[];
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
  pytorch: "PyTorch",
} as const;
export type View = keyof typeof views;

/** What a view shows: a picture as SVG, or text. */
export interface Shown {
  readonly kind: "svg" | "text";
  readonly content: string;
}

const uri = `file:///${programPath}`;
const workspace = new Workspace(pageHost(library), {
  toPath: () => programPath,
  toUri: (path) => `file:///${path}`,
});
let version = 0;
let program: Program | null = null;
let checked: Checked | null = null;

function look(text: string): Report {
  workspace.open(uri, ++version, text);
  program = workspace.program(programPath)!;
  checked = program.checked;
  const { models, trainings, diagnostics } = checked;
  return {
    hints: hintsOf(program),
    mistakes: diagnostics.map(({ labels, severity, code, title, help, edit }) => {
      const [first] = labels;
      const own = first?.span.source === programPath ? first : undefined;
      const said = own && own.text !== "" ? `${title}: ${own.text}` : title;
      return {
        from: own?.span.start ?? 0,
        to: own?.span.end ?? 0,
        severity,
        code,
        message: help === null ? said : `${said}\n${help}`,
        fix: edit?.span.source === programPath ? fixOf(edit.span, edit.text) : null,
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

const fixOf = ({ start, end }: Span, text: string): Mistake["fix"] => ({
  from: start,
  to: end,
  text,
});

function hintsOf(of: Program): Hint[] {
  const whole = of.range(programPath, 0, of.text.length);
  return inlayHints(of, whole).map(({ position, label }) => ({
    at: of.offsetAt(position),
    text: String(label),
  }));
}

const positionOf = (of: Program, offset: number): Position =>
  of.range(programPath, offset, offset).start;

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
  pytorch: async (model) => {
    const { modelFile } = await import("../../6-emit/torch/model-file.js");
    return { kind: "text", content: modelFile(model, programPath).text };
  },
};

const functions = {
  check: look,
  /** Markdown. */
  hover: (offset: number): string | null => {
    const contents = program && hover(program, positionOf(program, offset))?.contents;
    return contents && typeof contents === "object" && "value" in contents ? contents.value : null;
  },
  /** For a text that may be newer than the last one checked. */
  complete: (text: string, offset: number): Proposal[] => {
    look(text);
    return completion(program!, positionOf(program!, offset)).map((item) => ({
      label: item.label,
      detail: item.detail ?? "",
      doc: typeof item.documentation === "object" ? item.documentation.value : "",
      insert: item.insertText ?? item.label,
    }));
  },
  view: (view: View, model: string): Promise<Shown> | Shown => {
    const one = checked?.models.get(model);
    if (!checked || !one) throw new Error("the program has mistakes");
    return draw[view](one, checked);
  },
  format: async (text: string): Promise<string> => (await format(text, programPath)).text,
};
export type CompilerFunctions = typeof functions;

answer(functions);
