/** The steps of a function as statements: kernels, calls of blocks, and `free` right after the last use. */

import type { MapKernel, Operand, Step } from "../../../ir/program.js";
import { kernelCalls, letteredMap } from "../kernel-call.js";
import type { Letters } from "../letters.js";
import type { ArgumentText } from "./arguments.js";
import type { MapTable } from "./map-table.js";
import type { Plan } from "./plan.js";
import { scanStatement } from "./scan-text.js";
import { titlesOf } from "./sections.js";
import { comment, member, object } from "./text.js";

type Run = Extract<Step, { kind: "run" }>;
type Call = Extract<Step, { kind: "call" }>;

export interface StatementContext {
  readonly letters: Letters;
  readonly maps: MapTable;
  readonly sizes: ArgumentText;
  readonly callee: (name: string) => Plan;
}

/** A statement, or tensors that die there. */
type Line = string | { readonly dead: readonly string[] };

/** Notes the elementwise kernels of a function, and of the scans in it. */
export function collectMaps(plan: Plan, letters: Letters, maps: MapTable): void {
  for (const step of plan.fn.steps) {
    if (step.kind !== "run") continue;
    if (step.kernel.op === "scan") collectMaps(plan.bodies.get(step)!, letters, maps);
    if (step.kernel.op !== "map") continue;
    const output = step.outputs[0]!;
    const map = letteredMap(step.kernel, step.inputs, output, letters);
    const names = step.inputs.map(({ buffer }) => plan.bases[buffer]!);
    maps.add(map, names, plan.bases[output.buffer]!);
  }
}

export class Statements {
  constructor(
    private readonly plan: Plan,
    private readonly context: StatementContext,
  ) {}

  /** All statements; `unwanted` results die at the end. */
  write(headers: boolean, unwanted: readonly number[] = []): string[] {
    const { fn, isBackward } = this.plan;
    const titles = headers ? titlesOf(fn, isBackward) : [];
    const lines: Line[] = [];
    let shown: string | null = null;
    fn.steps.forEach((step, i) => {
      const title = titles[i] ?? shown;
      if (title !== shown && (step.kind === "run" || step.kind === "call")) {
        if (lines.length > 0) lines.push("");
        lines.push(`// ${comment(title!)}`);
        shown = title;
      }
      lines.push(...this.step(step));
    });
    lines.push({ dead: unwanted.map((buffer) => this.expression(buffer)) });
    return this.withFrees(lines);
  }

  private expression(buffer: number): string {
    return this.plan.expressions.get(buffer)!;
  }

  private step(step: Step): Line[] {
    switch (step.kind) {
      case "run":
        return this.run(step);
      case "call":
        return [this.call(step)];
      case "free":
        return [{ dead: [this.expression(step.buffer)] }];
      default:
        return []; // kernels give fresh tensors, and the training loop optimises
    }
  }

  private run(step: Run): Line[] {
    const { kernel, inputs, outputs } = step;
    if (kernel.op === "scan") {
      const body = this.plan.bodies.get(step)!;
      const inner = new Statements(body, this.context).write(false);
      const expression = (buffer: number): string => this.expression(buffer);
      return scanStatement(kernel, step, this.context, expression, body, inner);
    }
    const output = outputs[0]!;
    const name = this.expression(output.buffer);
    if (kernel.op === "map") return [`const ${name} = ${this.map(kernel, inputs, output)};`];
    let given = inputs.map(({ buffer }) => this.expression(buffer));
    const calls = kernelCalls(kernel, inputs, output, this.context.letters);
    return calls.flatMap(({ method, arguments: args }, i): Line[] => {
      const own = i === calls.length - 1 ? name : this.plan.names.unique(`${name}_moved`);
      const text = args.map((argument) => this.context.sizes.of(argument, given)).join(", ");
      const dead = i > 0 ? [{ dead: [given[0]!] }] : [];
      given = [own];
      return [`const ${own} = k.${method}(${text});`, ...dead];
    });
  }

  private map(kernel: MapKernel, inputs: readonly Operand[], output: Operand): string {
    const { letters, maps, sizes } = this.context;
    const map = letteredMap(kernel, inputs, output, letters);
    const tensors = inputs.map(({ buffer }) => this.expression(buffer));
    return `k.map(${maps.nameOf(map)}, [${tensors.join(", ")}], ${sizes.sizes(map.sizes)})`;
  }

  private call(step: Call): string {
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
    const all = ["k", ...weights, ...args].join(", ");
    return `const ${this.plan.calls.get(step)!} = ${callee.name}(${all});`;
  }

  /** What the forward call saved, whole when these are all of it. */
  private saved(backward: Plan, given: readonly string[]): string {
    const forward = this.context.callee(backward.fn.name.replace(/\.backward$/, ".forward"));
    const fields = savedFields(forward);
    const from = this.forwardCalls().find(
      ([{ callee }, name]) =>
        callee === forward.fn.name &&
        fields.every((field, i) => given[i] === member(name, ["saved", field])),
    );
    return from ? `${from[1]}.saved` : object(fields.map((field, i) => [field, given[i]!]));
  }

  private forwardCalls(): (readonly [Call, string])[] {
    return [...this.plan.calls].map(([step, name]) => [step as Call, name] as const);
  }

  /** Tensors that die at one place go in one `free`. */
  private withFrees(lines: readonly Line[]): string[] {
    const result: string[] = [];
    let dead: string[] = [];
    for (const line of [...lines, null]) {
      if (line !== null && typeof line !== "string") {
        dead.push(...line.dead);
        continue;
      }
      if (dead.length > 0) result.push(this.free(dead));
      dead = [];
      if (line !== null) result.push(line);
    }
    return result;
  }

  /** `free(a, b)`; all that a forward function saved goes at once. */
  private free(expressions: readonly string[]): string {
    const rest = new Set(expressions);
    const groups: string[] = [];
    for (const [{ callee }, name] of this.forwardCalls()) {
      const saved = savedFields(this.context.callee(callee)).map((field) =>
        member(name, ["saved", field]),
      );
      if (saved.length < 2 || !saved.every((one) => rest.has(one))) continue;
      for (const one of saved) rest.delete(one);
      groups.push(`...Object.values(${name}.saved)`);
    }
    return `free(${[...rest, ...groups].join(", ")});`;
  }
}

const savedFields = ({ results }: Plan): string[] =>
  results.flatMap(({ path: [group, field] }) => (group === "saved" ? [field!] : []));
