/** The compiler in a worker: mistakes as one types, and every view of the program. */

import type { Position } from "vscode-languageserver-types";
import type { Span } from "../../../grammar/ast.js";
import { format } from "../../../grammar/format.js";
import type { TrainingData } from "../../1-check/blocks/training.js";
import type { Checked } from "../../1-check/check.js";
import type { Model } from "../../1-check/model.js";
import { compileTraining } from "../../compile.js";
import { summaryText } from "../../cli/summary-text.js";
import { optimizerFor } from "../../cli/optimizer-options.js";
import { sizesFor } from "../../cli/sizes.js";
import { completion } from "../../server/features/completion/completion.js";
import { hover } from "../../server/features/hover.js";
import { inlayHints } from "../../server/features/inlay-hints.js";
import type { Program } from "../../server/program.js";
import { Workspace } from "../../server/workspace.js";
import { summarise } from "../../summary.js";
import { printProgram } from "../../ir/print-program.js";
import { architecture, kernels, render } from "../../6-emit/diagram/diagram.js";
import type { Drawing } from "../../6-emit/diagram/drawing.js";
import type { Sources } from "../../6-emit/diagram/source-text.js";
import { type Pane, type Shown, type View, views } from "../views.js";
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

/** Where data of a training comes from: nowhere, a file that came with the page, or one that is to be chosen. */
export type DataSource =
  | { readonly kind: "none" }
  | { readonly kind: "page"; readonly file: string }
  | { readonly kind: "chosen"; readonly name: string };

export interface Report {
  readonly hints: readonly Hint[];
  readonly mistakes: readonly Mistake[];
  /** Models without mistakes. */
  readonly models: readonly string[];
  readonly trainings: readonly {
    readonly name: string;
    readonly model: string;
    readonly source: DataSource;
  }[];
}

const uri = `file:///${programPath}`;
const workspace = new Workspace(pageHost(library), {
  toPath: () => programPath,
  toUri: (path) => `file:///${path}`,
});
let version = 0;
let program: Program | null = null;
/** The program that was last looked at whole. */
let looked: Program | null = null;

/** The program as it is written now, with all that features ask of it. */
function read(text: string): Program {
  workspace.open(uri, ++version, text);
  program = workspace.program(programPath)!;
  return program;
}

function look(text: string): Report {
  const program = (looked = read(text));
  const { models, trainings, diagnostics } = program.checked;
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
      source: sourceOf(data),
    })),
  };
}

/** Any text that is not there is replaced by the page's; a table is not, since its columns would be others. */
function sourceOf(data: TrainingData): DataSource {
  if (data.kind === "mqar") return { kind: "none" };
  if (data.kind === "text") return { kind: "page", file: "moby-dick.txt" };
  const name = data.csv.split("/").at(-1)!;
  return data.csv.startsWith("npm:vega-datasets/") && name === "seattle-weather.csv"
    ? { kind: "page", file: name }
    : { kind: "chosen", name: data.csv };
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

type Draw = (model: Model, program: Checked, sources: Sources) => Promise<Shown> | Shown;

const one = (kind: Pane["kind"], view: View, content: string): Shown => [
  { title: views[view], kind, content },
];

const draw: Readonly<Record<View, Draw>> = {
  diagram: (model, program, sources) => {
    const figures = summarise(model, sizesFor(program, model).time);
    const drawing = architecture(model, figures, sources);
    return one("svg", "diagram", render(drawing, "svg", sources));
  },
  summary: (model, program) =>
    one("text", "summary", summaryText(summarise(model, sizesFor(program, model).time))),
  kernels: (model, program, sources) => {
    const sizes = sizesFor(program, model);
    const what = `forward pass of ${sizes.batch} × ${sizes.time} tokens`;
    const drawing = kernels(compileTraining(model, sizes).evaluation, { title: model.name, what });
    return one("svg", "kernels", render(drawing, "svg", sources));
  },
  program: (model, program) => {
    const sizes = sizesFor(program, model);
    const { step } = compileTraining(model, sizes, undefined, optimizerFor(program, model));
    return one("text", "program", printProgram(step));
  },
  mesh: async (model, program, sources) => {
    const drawing = await meshOf(model, program);
    return typeof drawing === "string"
      ? one("text", "mesh", drawing)
      : one("svg", "mesh", render(drawing, "svg", sources));
  },
  trainers: async (model, program) => [
    { title: "TypeScript on tfjs", kind: "text", content: await typescript(model, program) },
    { title: "PyTorch", kind: "text", content: await pytorch(model) },
  ],
};

/** A text where there is no mesh to draw. */
async function meshOf(model: Model, program: Checked): Promise<Drawing | string> {
  const { chooseMesh } = await import("../../cli/planned.js");
  const { planOf } = await import("../../plan.js");
  const { mesh } = await import("../../6-emit/diagram/diagram.js");
  const { meshes } = program;
  const [first] = meshes.keys();
  if (first === undefined)
    return "A `parallel` block says what devices the model lies on:\n\nparallel pod on h100 * 8 {\n  mesh { dp_shard: 8 }\n}";
  const chosen = await chooseMesh(program, first, model.name);
  const planned = planOf(chosen.model, chosen.mesh, chosen.plan, chosen.work);
  if (planned.kind === "planned") return mesh(planned.plan);
  const reasons = planned.uncut.map(({ label, reason }) => `${label}: ${reason}`);
  return [`${first} cannot cut the sequences of ${model.name}:`, ...reasons].join("\n");
}

async function typescript(model: Model, program: Checked): Promise<string> {
  const training = [...program.trainings.values()].find((one) => one.model === model.name);
  if (!training) return `A trainer needs a \`train\` block for ${model.name}.`;
  const { trainerText } = await import("../../cli/build/trainer.js");
  return trainerText(program, training, { source: programPath, data: "." });
}

async function pytorch(model: Model): Promise<string> {
  const { modelFile } = await import("../../6-emit/torch/model-file.js");
  return modelFile(model, programPath).text;
}

const functions = {
  check: look,
  /** Markdown. */
  hover: (offset: number): string | null => {
    const contents = program && hover(program, positionOf(program, offset))?.contents;
    return contents && typeof contents === "object" && "value" in contents ? contents.value : null;
  },
  /** For a text that may be newer than the last one checked. */
  complete: (text: string, offset: number): Proposal[] => {
    const program = read(text);
    return completion(program, positionOf(program, offset)).map((item) => ({
      label: item.label,
      detail: item.detail ?? "",
      doc: typeof item.documentation === "object" ? item.documentation.value : "",
      insert: item.insertText ?? item.label,
    }));
  },
  view: (view: View, model: string): Promise<Shown> | Shown => {
    const own = looked;
    const one = own?.checked.models.get(model);
    if (!own || !one) throw new Error("the program has mistakes");
    const { sources } = own.checked;
    return draw[view](one, own.checked, {
      get: (path) => sources.get(path),
      place: (span) => own.place(span),
    });
  },
  format: async (text: string): Promise<string> => (await format(text, programPath)).text,
};
export type CompilerFunctions = typeof functions;

answer(functions);
