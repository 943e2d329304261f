/**
 * What buffers are called, without the letters of their shape: the source's own names where it has some,
 * the parameter's for what a linear map gives, else what was done to what (`exp_a`, `sum_square_x`).
 * Cotangents begin with `d_`.
 */

import type { BufferId, Kernel, MapKernel, ProgramFunction, Step } from "../../../ir/program.js";
import { identifier } from "./names.js";
import { type Partners, noPartners } from "./partners.js";
import { gradientPath, isGradient, isResidual, residualIndex } from "./results.js";

export interface Base {
  readonly name: string;
  /** Of a name that was made up: the name of what it was made of, so that they do not grow. */
  readonly stem: string;
}

/** What a function's names depend on beside itself. */
export interface BaseContext {
  /** What a backward function's residuals are called in its forward function. */
  readonly residuals: readonly Base[];
  /** What forward kernels combined with what. */
  readonly partners: Partners;
  /** Whether a step is of the backward pass. */
  readonly isBackward: (step: number) => boolean;
}

export const noContext: BaseContext = {
  residuals: [],
  partners: noPartners,
  isBackward: () => false,
};

type Run = Extract<Step, { kind: "run" }>;

const longest = 28;
/** `mixer.q.weight` is the weight of `q`: `q_weight`. */
export function parameterBase(path: string): string {
  return identifier(path.split(".").slice(-2).join("_"));
}

/** What a parameter's linear map gives: `q` of `mixer.q.weight`, `a_down` of `mixer.a.down.weight`. */
function mapOf(path: string): string {
  const segments = path.split(".").slice(0, -1);
  const own = segments.length > 1 ? segments.slice(1) : segments;
  return identifier(own.length > 0 ? own.join("_") : path);
}

/** `blocks.0` is `block0`. */
export function blockName(prefix: string): string {
  const segments = prefix.split(".");
  const parts = segments.map((segment, i) =>
    /^\d+$/.test(segments[i + 1] ?? "") ? segment.replace(/s$/, "") : segment,
  );
  return identifier(parts.join(""));
}

/** Names for all buffers of a function. */
export function nameBuffers(fn: ProgramFunction, context: BaseContext): readonly Base[] {
  return new Namer(fn, context).name();
}

class Namer {
  private readonly bases: (Base | undefined)[];
  private readonly paths: ReadonlyMap<BufferId, string>;
  /** Names of the source's own, which made-up ones do not take. */
  private readonly given: ReadonlySet<string>;

  constructor(
    private readonly fn: ProgramFunction,
    private readonly context: BaseContext,
  ) {
    this.bases = fn.buffers.map(() => undefined);
    this.paths = new Map(fn.parameters.map(({ path, buffer }) => [buffer, path]));
    this.given = new Set(fn.buffers.flatMap(({ name }) => name ?? []));
  }

  name(): readonly Base[] {
    const { fn, bases } = this;
    for (const { name, buffer } of fn.inputs) bases[buffer] = this.input(name);
    for (const { path, buffer } of fn.parameters) this.give(buffer, parameterBase(path));
    for (const { name, buffer } of fn.outputs)
      if (isGradient(name)) this.give(buffer, `d_${parameterBase(gradientPath(name))}`);
    this.backThroughMoves();
    fn.steps.forEach((step, i) => {
      if (step.kind === "call") this.call(step);
      if (step.kind === "run") this.run(step, this.context.isBackward(i));
    });
    for (const { name, buffer } of [...fn.outputs, ...fn.penalties])
      if (!isResidual(name) && !isGradient(name) && fn.buffers[buffer]!.name === null)
        bases[buffer] = named(name);
    for (const { path, buffer } of fn.updates) bases[buffer] = named(`new_${parameterBase(path)}`);
    for (const { name, buffer } of fn.metrics)
      if (fn.buffers[buffer]!.name === null) bases[buffer] = named(parameterBase(name));
    return bases.map((base, id) => base ?? named(fn.buffers[id]!.name ?? "t"));
  }

  private input(name: string): Base {
    const residual = isResidual(name) ? this.context.residuals[residualIndex(name)] : undefined;
    return residual ?? named(name);
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

  private run({ kernel, inputs, outputs }: Run, backward: boolean): void {
    if (kernel.op === "scan") {
      const names = scanNames(kernel.body.outputs, kernel.attributes.states);
      outputs.forEach((output, i) => output && this.own(output.buffer, named(names[i] ?? "t")));
      return;
    }
    const output = outputs[0]!;
    if (this.bases[output.buffer]) return;
    const ids = inputs.map(({ buffer }) => buffer);
    const partner = backward ? this.context.partners.find(ids, output.type) : null;
    this.own(
      output.buffer,
      partner === null ? this.made(kernel, ids, backward) : cotangentOf(partner),
    );
  }

  /** The source's name, if it has one that says more than what the kernel did. */
  private own(buffer: BufferId, made: Base): void {
    const { name } = this.fn.buffers[buffer]!;
    const plain = name === null || name === "y" || name.includes(".");
    this.bases[buffer] ??= plain ? made : named(name);
  }

  private made(
    kernel: Exclude<Kernel, { op: "scan" }>,
    ids: readonly BufferId[],
    backward: boolean,
  ): Base {
    const parameter = ids.find((id) => this.paths.has(id));
    const operands = ids.filter((id) => !this.paths.has(id)).map((id) => this.bases[id]!);
    const main = operands.find(isCotangent) ?? this.largest(ids) ?? operands[0];
    const verb = (word: string): Base => composed(word, main);
    const path = parameter === undefined || backward ? null : this.paths.get(parameter)!;
    switch (kernel.op) {
      case "dot":
      case "grouped_dot":
      case "conv":
        if (path !== null) return this.linear(path, kernel.op);
        return operands.length > 1 && !backward ? pair(operands[0]!, operands[1]!) : verb("dot");
      case "map":
        return mapped(kernel, operands, main);
      case "take":
        return path === null ? verb("at") : named(`${parameterBase(path)}_rows`);
      case "cumulate":
        return verb(kernel.attributes.fn === "sum" ? "cumsum" : "cummax");
      case "linear_scan":
        return verb("scan");
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
      case "conv_input_gradient":
        return verb("conv");
      default: // moves elements about
        return main ?? named("t");
    }
  }

  private linear(path: string, op: string): Base {
    const name = mapOf(path);
    const taken = this.given.has(name) && !name.endsWith(op);
    return taken ? { name: `${name}_${op === "conv" ? "conv" : "in"}`, stem: name } : named(name);
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

/** Outputs, then states after the last step, then states before each step. */
function scanNames(
  outputs: readonly { readonly name: string }[],
  states: number,
): readonly string[] {
  const names = outputs.map(({ name }) => name);
  const own = names.slice(0, states);
  return [
    ...names.slice(states),
    ...own.map((name) => `${name}_last`),
    ...own.map((name) => `${name}_before`),
  ];
}

function mapped(kernel: MapKernel, operands: readonly Base[], main: Base | undefined): Base {
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

function constantName({ code }: MapKernel): Base {
  const operand = code[0]!.arguments[0];
  if (code.length > 1 || operand?.kind !== "constant") return named("mask");
  return named(operand.value === 0 ? "zero" : operand.value === 1 ? "one" : "constant");
}

const named = (name: string): Base => ({ name: identifier(name), stem: identifier(name) });

const isCotangent = ({ stem }: Base): boolean => stem.startsWith("d_");

const cotangentOf = (name: string): Base => named(`d_${name}`);

function composed(word: string, main: Base | undefined): Base {
  if (!main) return named(word);
  const name = `${word}_${main.stem}`;
  return name.length > longest ? { name: main.stem, stem: main.stem } : { name, stem: main.stem };
}

function pair(a: Base, b: Base): Base {
  const name = `${a.stem}_${b.stem}`;
  return name.length > longest ? { name: a.stem, stem: a.stem } : named(name);
}
