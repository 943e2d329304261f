/** The steps of a function as statements: kernels, calls of blocks, and `free` right after the last use. */

import type { MapKernel, Operand, ScanKernel, Step } from "../../../ir/program.js";
import type { Axis } from "../../../ir/types.js";
import { type CallArgument, kernelCalls, letteredMap } from "../kernel-call.js";
import type { Letters } from "../letters.js";
import { scanOptions } from "../scan-options.js";
import type { MapTable } from "./map-table.js";
import type { Plan } from "./plan.js";
import { sectionsOf } from "./sections.js";
import { comment, literal, member, object } from "./text.js";

type Run = Extract<Step, { kind: "run" }>;
type Call = Extract<Step, { kind: "call" }>;

export interface StatementContext {
  readonly letters: Letters;
  readonly maps: MapTable;
  readonly callee: (name: string) => Plan;
  /** Letters that shapes and sizes name: they need a constant each. */
  readonly usedSizes: Set<string>;
}

/** Notes the elementwise kernels of a function, and of the scans in it. */
export function collectMaps(plan: Plan, letters: Letters, maps: MapTable): void {
  for (const step of plan.fn.steps) {
    if (step.kind !== "run") continue;
    if (step.kernel.op === "scan") collectMaps(plan.bodies.get(step)!, letters, maps);
    if (step.kernel.op !== "map") continue;
    const output = step.outputs[0]!;
    const map = letteredMap(step.kernel, step.inputs, output, letters);
    maps.add(
      map,
      step.inputs.map(({ buffer }) => plan.bases[buffer]!),
      plan.bases[output.buffer]!,
    );
  }
}

export class Statements {
  constructor(
    private readonly plan: Plan,
    private readonly context: StatementContext,
  ) {}

  /** `header` turns a section's name into its comment; without it there are none. */
  write(header?: (section: string, step: number) => string): string[] {
    const { fn, calls } = this.plan;
    const sections = sectionsOf(fn, ({ prefix }) => prefix.split(".")[0]!);
    const lines: string[] = [];
    let shown: string | null = null;
    const { steps } = fn;
    for (let i = 0; i < steps.length; i += 1) {
      const step = steps[i]!;
      const section = sections[i]!;
      if (header && section !== null && (step.kind === "run" || step.kind === "call")) {
        const title = header(section, i);
        if (title !== shown) lines.push("", `// ${comment(title)}`);
        shown = title;
      }
      if (step.kind === "run") lines.push(...this.run(step));
      if (step.kind === "call") lines.push(this.call(step, calls.get(step)!));
      if (step.kind === "free") {
        const from = i;
        while (steps[i + 1]?.kind === "free") i += 1;
        const dead = steps
          .slice(from, i + 1)
          .map((one) => this.expression((one as { buffer: number }).buffer));
        lines.push(this.free(dead));
      }
    }
    return lines[0] === "" ? lines.slice(1) : lines;
  }

  expression(buffer: number): string {
    return this.plan.expressions.get(buffer)!;
  }

  /** `free(a, b)`; all that a forward function saved goes at once. */
  free(expressions: readonly string[]): string {
    const rest = new Set(expressions);
    const groups: string[] = [];
    for (const [step, name] of this.plan.calls) {
      const { results } = this.context.callee((step as Call).callee);
      const saved = results
        .filter(({ path }) => path[0] === "saved")
        .map(({ path }) => member(name, path));
      if (saved.length < 2 || !saved.every((one) => rest.has(one))) continue;
      for (const one of saved) rest.delete(one);
      groups.push(`...Object.values(${name}.saved)`);
    }
    return `free(${[...rest, ...groups].join(", ")});`;
  }

  private run(step: Run): string[] {
    const { kernel, inputs, outputs } = step;
    if (kernel.op === "scan") return this.scan(kernel, step);
    const output = outputs[0]!;
    const name = this.expression(output.buffer);
    if (kernel.op === "map") return [`const ${name} = ${this.map(kernel, inputs, output)};`];
    const { letters } = this.context;
    let given = inputs.map(({ buffer }) => this.expression(buffer));
    const calls = kernelCalls(kernel, inputs, output, letters);
    return calls.flatMap(({ method, arguments: args }, i) => {
      const last = i === calls.length - 1;
      const own = last ? name : this.plan.names.unique(`${name}_moved`);
      const text = args.map((argument) => this.argument(argument, given)).join(", ");
      const before = i > 0 ? [`free(${given[0]!});`] : [];
      given = [own];
      return [`const ${own} = k.${method}(${text});`, ...before];
    });
  }

  private map(kernel: MapKernel, inputs: readonly Operand[], output: Operand): string {
    const { letters, maps } = this.context;
    const map = letteredMap(kernel, inputs, output, letters);
    const tensors = inputs.map(({ buffer }) => this.expression(buffer));
    return `k.map(${maps.nameOf(map)}, [${tensors.join(", ")}], ${this.sizes(map.sizes)})`;
  }

  private argument(argument: CallArgument, given: readonly string[]): string {
    switch (argument.kind) {
      case "tensor":
        return given[argument.index]!;
      case "tensors":
        return `[${given.join(", ")}]`;
      case "shape":
        return `[${argument.axes.map((axis) => this.size(axis)).join(", ")}]`;
      case "value":
        return typeof argument.value === "object"
          ? this.sizes(argument.value)
          : literal(argument.value);
    }
  }

  /** An axis's size by its letter, when that letter is the axis's in the whole file. */
  private size({ name, size }: Axis): string {
    for (const [letter, axis] of this.context.letters.legend())
      if (axis.name === name && axis.size === size) return this.constant(letter);
    return String(size);
  }

  private sizes(sizes: Readonly<Record<string, number>>): string {
    const legend = this.context.letters.legend();
    return object(
      Object.entries(sizes).map(([letter, size]) => [
        letter,
        legend.get(letter)?.size === size ? this.constant(letter) : String(size),
      ]),
    );
  }

  private constant(letter: string): string {
    this.context.usedSizes.add(letter);
    return letter;
  }

  private call(step: Call, name: string): string {
    const callee = this.context.callee(step.callee);
    const given = step.inputs.map((id) => this.expression(id));
    const args = callee.arguments.map((argument) =>
      argument.kind === "tensor"
        ? given[argument.input]!
        : this.saved(
            callee,
            argument.inputs.map((input) => given[input]!),
          ),
    );
    const weights = callee.usesWeights ? [member("w", step.prefix.split("."))] : [];
    return `const ${name} = ${callee.name}(${["k", ...weights, ...args].join(", ")});`;
  }

  /** What the forward call saved, whole when these are all of it. */
  private saved(backward: Plan, given: readonly string[]): string {
    const forward = this.context.callee(backward.fn.name.replace(/\.backward$/, ".forward"));
    const fields = forward.results
      .filter(({ path }) => path[0] === "saved")
      .map(({ path }) => path[1]!);
    for (const [step, name] of this.plan.calls)
      if (
        (step as Call).callee === forward.fn.name &&
        fields.every((field, i) => given[i] === member(name, ["saved", field]))
      )
        return `${name}.saved`;
    return object(fields.map((field, i) => [field, given[i]!]));
  }

  private scan(kernel: ScanKernel, step: Run): string[] {
    const { inputs, outputs } = step;
    const { letters } = this.context;
    const { options, split } = scanOptions(kernel, inputs, outputs, letters);
    const { states } = kernel.attributes;
    const given = inputs.map(({ buffer }) => this.expression(buffer));
    const body = this.plan.bodies.get(step)!;
    const inner = new Statements(body, this.context);
    const read = new Set(body.arguments.map((one) => (one.kind === "tensor" ? one.input : -1)));
    const own = body.fn.inputs.map(({ buffer }, i) =>
      read.has(i) ? inner.expression(buffer) : "",
    );
    const sequences = split.statics - split.sequences;
    const parts = (list: readonly string[], from: number, to?: number): string =>
      `[${withoutHoles(list.slice(from, to)).join(", ")}]`;
    const made = body.fn.outputs.map(({ buffer }) => inner.expression(buffer));
    const { resets, length, ...rest } = options;
    const flags = given[states]!;
    const text = object([
      ...Object.entries(rest).map(([name, value]) => [name, literal(value)] as const),
      ["length", this.lengthOf(options.axis, length)],
      [
        "resets",
        resets === null
          ? "null"
          : object([
              ["letters", literal(resets.letters)],
              ["flags", flags],
              ["restart", literal(resets.restart)],
            ]),
      ],
    ]);
    const result = this.scanResult(outputs, body.fn.outputs.length - states, states);
    const bodyParameters = [
      parts(own, 0, states),
      parts(own, states, states + sequences),
      parts(own, states + sequences),
    ];
    while (bodyParameters.at(-1) === "[]") bodyParameters.pop();
    return [
      `const ${result} = scan(k, ${text}, ${parts(given, 0, states)}, ` +
        `${parts(given, split.sequences, split.statics)}, ${parts(given, split.statics)}, ` +
        `(${bodyParameters.join(", ")}) => {`,
      ...inner.write(),
      `return { states: ${parts(made, 0, states)}, outputs: ${parts(made, states)} };`,
      "});",
    ];
  }

  private lengthOf(letter: string, length: number): string {
    return this.context.letters.legend().get(letter)?.size === length
      ? this.constant(letter)
      : String(length);
  }

  /** `{ outputs: [o_BTHV], finals: [, S_BHKV] }`: places of what is not wanted stay empty. */
  private scanResult(outputs: Run["outputs"], count: number, states: number): string {
    const names = outputs.map((output) => (output ? this.expression(output.buffer) : ""));
    const groups = {
      outputs: names.slice(0, count),
      finals: names.slice(count, count + states),
      befores: names.slice(count + states),
    };
    const wanted = Object.entries(groups)
      .map(([name, list]) => [name, withoutHoles(list)] as const)
      .filter(([, list]) => list.length > 0);
    return `{ ${wanted.map(([name, list]) => `${name}: [${list.join(", ")}]`).join(", ")} }`;
  }
}

/** Without empty places at the end. */
function withoutHoles(list: readonly string[]): readonly string[] {
  return list.slice(0, list.findLastIndex((one) => one !== "") + 1);
}
