/** A trainer's file, from the first comment to the last line. */

import type { ModelParameter } from "../../../ir/program.js";
import { elementCount } from "../../../ir/types.js";
import { gradientName } from "../../../3-derive/differentiate.js";
import { Letters } from "../letters.js";
import { type Block, blockComment, blocksOf, placesOf } from "./blocks.js";
import { ArgumentText } from "./arguments.js";
import type { TrainerInput } from "./emit-trainer.js";
import { type Part, printTypeScript } from "./format.js";
import { blockFunction, byPath, mainFunction } from "./functions.js";
import { fileHeader } from "./header.js";
import { MapTable } from "./map-table.js";
import { Names } from "./names.js";
import { parameterEntries } from "./parameter-list.js";
import { type Plan, Planner } from "./plan.js";
import { blockTexts } from "./source.js";
import { type StatementContext, collectMaps } from "./statements.js";
import { literal } from "./text.js";
import { weightsType } from "./weights.js";

const imports = {
  from: "lsm/runtime/tfjs",
  types:
    "BatchTensors EvaluationResult GradientResult KernelSet ParameterSpec Tensor TensorMap Trainable TrainSettings WindowTensors".split(
      " ",
    ),
  values:
    "apply defineMap free nest normal parameter parametersUnder runAsMain scan under uniform".split(
      " ",
    ),
};

export class TrainerFile {
  private readonly letters = new Letters();
  private readonly names = new Names();
  private readonly maps = new MapTable();
  private readonly sizes = new ArgumentText(this.letters);
  private readonly training: Planner;
  private readonly evaluation: Planner;
  private readonly plans: readonly Plan[];
  /** The model's parameters. */
  private readonly all: readonly ModelParameter[];
  private readonly blocks: readonly Block[];
  /** The constants that hold the blocks' parameters. */
  private readonly lists: ReadonlyMap<Block, string>;

  constructor(private readonly input: TrainerInput) {
    const { gradients, evaluation } = input.programs;
    const { muon } = input.settings.optimizer;
    // what AdamW trains says nothing of matrices
    this.all = input.programs.parameters.map((one) => (muon ? one : { ...one, matrix: null }));
    this.names.avoid("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"); // the axes' sizes
    const types = new Map<string, string>();
    this.training = new Planner(gradients, this.names, this.letters, types);
    this.evaluation = new Planner(evaluation, this.names, this.letters, types);
    this.plans = [...this.training.all(), ...this.evaluation.all()];
    this.blocks = blocksOf(this.plans, this.all);
    for (const plan of this.plans) collectMaps(plan, this.letters, this.maps);
    for (const plan of this.plans) avoidNames(this.names, plan);
    this.lists = new Map(
      this.blocks
        .filter((block) => block.parameters.length > 0)
        .map((block) => [block, this.names.unique(`${block.name}_parameters`)]),
    );
  }

  print(): Promise<string> {
    const maps = this.maps.define(this.names);
    const body: Part[] = [
      heading("Parameters"),
      ...this.parameters(),
      heading("Elementwise kernels"),
      ...maps.map(({ name, text }) => `const ${name} = ${text};`),
      ...this.blocks.flatMap((block) => this.block(block)),
      heading("The model"),
      ...this.gradients(),
      ...this.evaluate(),
      heading("Training"),
      ...this.end(),
    ];
    return printTypeScript(this.header(), imports, [...this.axes(), ...body]);
  }

  private header(): string {
    const { model, programs, settings, source } = this.input;
    const count = programs.parameters.reduce((sum, { type }) => sum + elementCount(type), 0);
    const legend = this.letters.legend();
    const { name, doc } = model;
    const training = settings.name;
    return fileHeader({ name, doc, source: source.path, training, parameters: count, legend });
  }

  /** The letters that shapes name, as numbers. */
  private axes(): Part[] {
    const used = [...this.letters.legend()].filter(([letter]) => this.sizes.used.has(letter));
    if (used.length === 0) return [];
    const letters = used.map(([letter]) => letter).join(", ");
    return [`const [${letters}] = [${used.map(([, { size }]) => size).join(", ")}] as const;`];
  }

  private parameters(): Part[] {
    const placed = new Map(
      [...this.lists].flatMap(([{ prefixes, parameters: specs }, constant]) =>
        prefixes.map((prefix) => [prefix, { constant, specs }] as const),
      ),
    );
    const list = (name: string, specs: readonly ModelParameter[], within: typeof placed): string =>
      `const ${name}: readonly ParameterSpec[] = [${parameterEntries(specs, within).join(", ")}];`;
    return [
      ...[...this.lists].map(([block, constant]) => list(constant, block.parameters, new Map())),
      list("parameters", this.all, placed),
    ];
  }

  private block(block: Block): Part[] {
    const text = blockTexts(this.input.source, this.input.model.name).get(block.name);
    return [
      heading(block.name),
      ...this.typeOf(block.plans[0]!, block.type.type, block.type.paths),
      ...block.plans.flatMap((plan) => [
        ...blockFunction(plan, blockComment(block, plan, text), this.context(plan)),
        ...this.savedType(plan),
      ]),
    ];
  }

  /** The type of weights that are read by `w`; none for a part without parameters. */
  private typeOf(plan: Plan, name: string, paths: readonly string[]): Part[] {
    if (paths.length === 0) return [];
    const types = new Map(
      placesOf(plan).flatMap(({ block, prefix }) => {
        const found = this.blocks.find((one) => one.name === block);
        return found ? [[prefix, found.type] as const] : [];
      }),
    );
    return [`interface ${name} ${weightsType(paths, types)}`];
  }

  private savedType({ name, saved }: Plan): Part[] {
    return saved === null ? [] : [`type ${saved} = ReturnType<typeof ${name}>["saved"];`];
  }

  private gradients(): Part[] {
    const plan = this.training.main;
    const trained = this.input.programs.parameters.filter(({ trainable }) => trainable);
    const context = this.context(plan);
    const outputs = new Map(trained.map(({ path }) => [gradientName(path), path]));
    const updates = plan.fn.updates.map(
      ({ path, buffer }) => [path, plan.expressions.get(buffer)!] as const,
    );
    const metrics = plan.fn.metrics.map(
      ({ name, buffer }) => [name, plan.expressions.get(buffer)!] as const,
    );
    const paths = new Set([...plan.paths, ...this.evaluation.main.paths]);
    return [
      ...this.typeOf(plan, "Weights", [...paths]),
      ...mainFunction(plan, context, {
        name: "gradients",
        about: "The loss of a batch and its gradients.",
        resultType: "GradientResult",
        batchType: this.batchType,
        wanted: (name) => name === "loss" || name === "objective" || outputs.has(name),
        result: (of) => {
          const gradients = [...outputs].map(([name, path]) => [path, of(name)] as const);
          return [
            ["loss", of("loss")],
            ["objective", of("objective")],
            ["gradients", byPath(gradients, plan, context, "weights")],
            ["updates", byPath(updates, plan, context, "updates")],
            ...(metrics.length > 0
              ? ([["metrics", byPath(metrics, plan, context, "metrics")]] as const)
              : []),
          ];
        },
      }),
    ];
  }

  private evaluate(): Part[] {
    const plan = this.evaluation.main;
    return mainFunction(plan, this.context(plan), {
      name: "evaluate",
      about: this.input.model.window
        ? "The loss of a batch and the forecast of every window."
        : "The loss of a batch and the logits of every token.",
      resultType: "EvaluationResult",
      batchType: this.batchType,
      wanted: (name) => name === "loss" || name === "prediction",
      result: (of) => [
        ["loss", of("loss")],
        ["prediction", of("prediction")],
      ],
    });
  }

  private get batchType(): "BatchTensors" | "WindowTensors" {
    return this.input.model.window ? "WindowTensors" : "BatchTensors";
  }

  private end(): Part[] {
    const { model, sizes, settings, source, data } = this.input;
    const fields = [
      `model: ${literal(model.name)}`,
      `vocabulary: ${model.vocabulary ?? 0}`,
      `batch: ${sizes.batch}`,
      `time: ${sizes.time}`,
      "parameters, gradients, evaluate",
    ];
    const files = literal({ source: source.path, data });
    return [
      `export const trainable: Trainable = { ${fields.join(", ")} };`,
      `export const settings: TrainSettings = ${literal(settings)};`,
      `await runAsMain(import.meta.url, trainable, settings, ${files});`,
    ];
  }

  private context(plan: Plan): StatementContext {
    const planner = this.training.has(plan) ? this.training : this.evaluation;
    const { letters, maps, sizes } = this;
    return { letters, maps, sizes, callee: (name) => planner.of(name) };
  }
}

/** A kernel's name hides no variable of any function. */
function avoidNames(names: Names, plan: Plan): void {
  names.avoid(plan.names.all());
  for (const body of plan.bodies.values()) avoidNames(names, body);
}

/** A line between two parts of the file. */
function heading(title: string): string {
  const start = `// ── ${title} `;
  return `\n${start}${"─".repeat(Math.max(3, 100 - start.length))}\n`;
}
