/**
 * What buffers are called, without the letters of their shape: the source's own names where it has some,
 * the parameter's for what a linear map gives, else what was done to what (`exp_a`, `sum_square_x`).
 * Cotangents begin with `d_`.
 */

import type {
  BufferId,
  Kernel,
  MapKernel,
  Operand,
  ProgramFunction,
  Step,
} from "../../../ir/program.js";
import { identifier } from "./names.js";

export interface Base {
  readonly name: string;
  /** Of a name that was made up: the name of what it was made of, so that they do not grow. */
  readonly stem: string;
}

/** What a function's names depend on beside itself. */
export interface BaseContext {
  /** Names of the residuals that a backward function is given, as its forward function calls them. */
  readonly residuals: readonly string[];
  /** What the forward function multiplies each parameter with, by the parameter's path. */
  readonly factors: ReadonlyMap<string, string>;
}

export const noContext: BaseContext = { residuals: [], factors: new Map() };

type Run = Extract<Step, { kind: "run" }>;

const longest = 28;
const residualPrefix = "residual.";
const gradientPrefix = "grad.";

/** `mixer.q.weight` is the weight of `q`: `q_weight`. */
export function parameterBase(path: string): string {
  const segments = path.split(".");
  return identifier(segments.slice(-2).join("_"));
}

/** What a parameter's linear map gives: `q` of `mixer.q.weight`, `a_down` of `mixer.a.down.weight`. */
function mapOf(path: string): string {
  const segments = path.split(".").slice(0, -1);
  const own = segments.length > 1 ? segments.slice(1) : segments;
  return identifier(own.length > 0 ? own.join("_") : path);
}

/** Names for all buffers of a function. */
export function nameBuffers(fn: ProgramFunction, context: BaseContext): readonly Base[] {
  return new Namer(fn, context).name();
}

/** What each parameter is multiplied with, by path: the names that a backward function's results go by. */
export function factorsOf(
  fn: ProgramFunction,
  bases: readonly Base[],
): ReadonlyMap<string, string> {
  const paths = new Map(fn.parameters.map(({ path, buffer }) => [buffer, path]));
  const factors = new Map<string, string>();
  for (const step of fn.steps) {
    if (step.kind !== "run" || step.kernel.op === "scan") continue;
    const ids = step.inputs.map(({ buffer }) => buffer);
    const parameter = ids.find((id) => paths.has(id));
    const factor = ids.find((id) => !paths.has(id));
    if (parameter === undefined || factor === undefined) continue;
    factors.set(paths.get(parameter)!, bases[factor]!.stem);
  }
  return factors;
}

class Namer {
  private readonly bases: (Base | undefined)[];
  private readonly paths: ReadonlyMap<BufferId, string>;

  constructor(
    private readonly fn: ProgramFunction,
    private readonly context: BaseContext,
  ) {
    this.bases = fn.buffers.map(() => undefined);
    this.paths = new Map(fn.parameters.map(({ path, buffer }) => [buffer, path]));
  }

  name(): readonly Base[] {
    const { fn, bases } = this;
    for (const { name, buffer } of fn.inputs) this.give(buffer, this.inputName(name));
    for (const { path, buffer } of fn.parameters) this.give(buffer, parameterBase(path));
    for (const { name, buffer } of fn.outputs)
      if (name.startsWith(gradientPrefix))
        this.give(buffer, `d_${parameterBase(name.slice(gradientPrefix.length))}`);
    this.backThroughMoves();
    for (const step of fn.steps) {
      if (step.kind === "call") this.call(step);
      if (step.kind === "run") this.run(step);
    }
    for (const { name, buffer } of [...fn.outputs, ...fn.penalties])
      if (!name.startsWith(residualPrefix) && fn.buffers[buffer]!.name === null)
        this.bases[buffer] = named(name);
    for (const { path, buffer } of fn.updates)
      this.bases[buffer] = named(`new_${parameterBase(path)}`);
    return bases.map((base, id) => base ?? named(fn.buffers[id]!.name ?? "t"));
  }

  private inputName(name: string): string {
    if (!name.startsWith(residualPrefix)) return name;
    return this.context.residuals[Number(name.slice(residualPrefix.length))] ?? name;
  }

  private give(buffer: BufferId, name: string): void {
    this.bases[buffer] ??= named(name);
  }

  /** A gradient's last kernel often only turns its axes: what comes before has the same name. */
  private backThroughMoves(): void {
    for (const step of [...this.fn.steps].reverse()) {
      if (step.kind !== "run" || step.kernel.op !== "expand") continue;
      const base = this.bases[step.outputs[0]!.buffer];
      const from = step.inputs[0]!.buffer;
      if (base && !this.paths.has(from)) this.bases[from] ??= base;
    }
  }

  private call({ callee, prefix, outputs }: Extract<Step, { kind: "call" }>): void {
    const name = callee.endsWith(".backward") ? `d_${blockName(prefix)}` : blockName(prefix);
    for (const id of outputs) if (id !== null) this.give(id, name);
  }

  private run({ kernel, inputs, outputs }: Run): void {
    if (kernel.op === "scan") {
      const { states } = kernel.attributes;
      const body = kernel.body.outputs.map(({ name }) => name);
      const stateNames = body.slice(0, states);
      const names = [
        ...body.slice(states),
        ...stateNames.map((name) => `${name}_last`),
        ...stateNames.map((name) => `${name}_before`),
      ];
      outputs.forEach((output, i) => output && this.own(output.buffer, named(names[i] ?? "t")));
      return;
    }
    this.own(outputs[0]!.buffer, this.made(kernel, inputs));
  }

  /** The source's name, if it has one that says more than what the kernel did. */
  private own(buffer: BufferId, made: Base): void {
    const { name } = this.fn.buffers[buffer]!;
    const plain = name === null || name === "y" || name.includes(".");
    this.bases[buffer] ??= plain ? made : named(name);
  }

  private made(kernel: Exclude<Kernel, { op: "scan" }>, inputs: readonly Operand[]): Base {
    const ids = inputs.map(({ buffer }) => buffer);
    const parameter = ids.find((id) => this.paths.has(id));
    const operands = ids.filter((id) => !this.paths.has(id)).map((id) => this.bases[id]!);
    const cotangent = operands.find(isCotangent);
    const main = cotangent ?? this.largest(ids) ?? operands[0];
    const verb = (word: string): Base => composed(word, main);
    const path = parameter === undefined ? undefined : this.paths.get(parameter)!;
    switch (kernel.op) {
      case "dot":
      case "grouped_dot":
      case "conv":
      case "conv_input_gradient": {
        const factor = path === undefined ? undefined : this.context.factors.get(path);
        if (cotangent && factor !== undefined) return named(`d_${factor}`);
        if (path !== undefined && !cotangent) return named(mapOf(path));
        return operands.length > 1 && !cotangent ? pair(operands[0]!, operands[1]!) : verb("dot");
      }
      case "map":
        return this.mapped(kernel, operands, main);
      case "take":
        return path === undefined ? verb("at") : named(`${parameterBase(path)}_rows`);
      case "cumulate":
        return verb(kernel.attributes.fn === "sum" ? "cumsum" : "cummax");
      case "top_k":
        return verb("top");
      case "argsort":
        return verb("order");
      case "put":
      case "solve":
        return verb(kernel.op);
      case "grouped_outer":
      case "conv_weight_gradient":
        return verb("outer");
      default: // moves elements about
        return main ?? named("t");
    }
  }

  private mapped(kernel: MapKernel, operands: readonly Base[], main: Base | undefined): Base {
    const { code, reduce } = kernel;
    if (!main) return constantName(kernel);
    const root = code.at(-1)!.fn;
    if (code.every(({ fn }) => fn === "add") && operands.every(({ stem }) => stem === main.stem))
      return named(main.stem);
    const silu = operands.find(({ name }) => name === `sigmoid_${operands[0]!.name}`);
    if (root === "mul" && code.length === 1 && silu) return composed("silu", operands[0]);
    const copy = root === "stop" && code.length === 1;
    if (reduce === null) return copy ? main : composed(root, main);
    return composed(copy ? reduce : `${reduce}_${root}`, main);
  }

  /** The operand with most axes: what the kernel is about. */
  private largest(ids: readonly BufferId[]): Base | undefined {
    const size = (id: BufferId): number => this.fn.buffers[id]!.type.axes.length;
    const own = ids.filter((id) => !this.paths.has(id));
    const best = Math.max(...own.map(size));
    const found = own.find((id) => size(id) === best);
    return found === undefined ? undefined : this.bases[found];
  }
}

const named = (name: string): Base => ({ name: identifier(name), stem: identifier(name) });

const isCotangent = ({ stem }: Base): boolean => stem.startsWith("d_");

function composed(word: string, main: Base | undefined): Base {
  if (!main) return named(word);
  const name = `${word}_${main.stem}`;
  return name.length > longest ? { name: main.stem, stem: main.stem } : { name, stem: main.stem };
}

function pair(a: Base, b: Base): Base {
  const name = `${a.stem}_${b.stem}`;
  return name.length > longest ? { name: a.stem, stem: a.stem } : named(name);
}

function constantName({ code }: MapKernel): Base {
  const operand = code[0]!.arguments[0];
  if (code.length > 1 || operand?.kind !== "constant") return named("mask");
  return named(operand.value === 0 ? "zero" : operand.value === 1 ? "one" : "constant");
}

/** `blocks.0` is `block0`. */
export function blockName(prefix: string): string {
  const segments = prefix.split(".");
  const parts = segments.map((segment, i) =>
    /^\d+$/.test(segments[i + 1] ?? "") ? segment.replace(/s$/, "") : segment,
  );
  return identifier(parts.join(""));
}
