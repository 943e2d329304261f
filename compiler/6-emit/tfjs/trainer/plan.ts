/**
 * What every function of a program is called in the emitted file, what it takes and gives, and by which
 * expression each of its buffers is read. Statements follow from that.
 */

import type { BufferId, Program, ProgramFunction, Step } from "../../../ir/program.js";
import type { Letters } from "../letters.js";
import { type Base, type BaseContext, blockName, nameBuffers, noContext } from "./bases.js";
import { forwardSteps } from "./passes.js";
import { partnersOf } from "./partners.js";
import { Names, identifier } from "./names.js";
import { inputsOf } from "./sections.js";
import { member } from "./text.js";
import { weightMember } from "./weights.js";

/** An argument beside the kernels and the weights: one tensor, or all residuals of a forward function. */
export type Argument =
  | { readonly kind: "tensor"; readonly name: string; readonly input: number }
  | { readonly kind: "saved"; readonly type: string; readonly inputs: readonly number[] };

export interface Result {
  readonly buffer: BufferId;
  /** Where it is in the object that a call gives; nowhere: it is what a call gives. */
  readonly path: readonly string[];
}

export interface Plan {
  readonly fn: ProgramFunction;
  readonly name: string;
  /** The block's name in the source; null for `main` and the bodies of scans. */
  readonly block: string | null;
  readonly arguments: readonly Argument[];
  /** The type of what a forward function saves for its backward function. */
  readonly saved: string | null;
  readonly usesWeights: boolean;
  /** The type of `w`. */
  readonly weights: string;
  /** Paths of all parameters below, in order of first use. */
  readonly paths: readonly string[];
  /** In the order of a call's outputs. */
  readonly results: readonly Result[];
  readonly bases: readonly Base[];
  readonly expressions: ReadonlyMap<BufferId, string>;
  /** What the result of each call is held in. */
  readonly calls: ReadonlyMap<Step, string>;
  readonly bodies: ReadonlyMap<Step, Plan>;
  readonly names: Names;
  /** Whether a step is of the backward pass. */
  readonly isBackward: (step: number) => boolean;
}

const residualPrefix = "residual.";
const gradientPrefix = "grad.";
const isResidual = (name: string): boolean => name.startsWith(residualPrefix);
const residualIndex = (name: string): number => Number(name.slice(residualPrefix.length));

/** `L.forward` is a part of the block `L`. */
export const blockOf = (functionName: string): string =>
  functionName.replace(/\.(forward|backward)$/, "");

export class Planner {
  private readonly plans = new Map<string, Plan>();

  constructor(
    private readonly program: Program,
    /** What the file's functions, types and constants are called. */
    private readonly names: Names,
    private readonly letters: Letters,
    /** Names of types that the file has, by what they are the type of. */
    private readonly types: Map<string, string>,
  ) {}

  get main(): Plan {
    return this.of(this.program.main);
  }

  has(plan: Plan): boolean {
    return this.plans.get(plan.fn.name) === plan;
  }

  /** Plans in an order in which every function comes after those it calls. */
  all(): readonly Plan[] {
    this.plan(this.program.main);
    return [...this.plans.values()];
  }

  of(name: string): Plan {
    return this.plans.get(name)!;
  }

  private plan(name: string): Plan {
    const known = this.plans.get(name);
    if (known) return known;
    const fn = this.program.functions.get(name)!;
    for (const step of fn.steps) if (step.kind === "call") this.plan(step.callee);
    const forward = name.endsWith(".backward")
      ? this.plans.get(`${blockOf(name)}.forward`)
      : undefined;
    const plan = this.make(fn, name === this.program.main ? null : blockOf(name), forward);
    this.plans.set(name, plan);
    return plan;
  }

  private make(fn: ProgramFunction, block: string | null, forward: Plan | undefined): Plan {
    const saved = forward?.results.filter(({ path }) => path[0] === "saved") ?? [];
    const context: BaseContext = forward
      ? {
          residuals: saved.map(({ buffer }) => forward.bases[buffer]!),
          partners: partnersOf(forward.fn, forward.bases, forwardBuffers(fn, forward, saved)),
          isBackward: () => true,
        }
      : mainContext(fn);
    const bases = nameBuffers(fn, context);
    const scope = new Names(this.names);
    const expressions = new Map<BufferId, string>();
    const calls = new Map<Step, string>();
    const bodies = new Map<Step, Plan>();
    const paths = this.weightPaths(fn);
    const read = new Set(fn.steps.flatMap((step) => this.readBy(step)));
    const takesSaved = saved.length > 0;
    const local = (buffer: BufferId): string =>
      scope.unique(bases[buffer]!.name, this.suffixOf(fn, buffer));

    const savedInputs: number[] = [];
    const args: Argument[] = [];
    fn.inputs.forEach(({ name, buffer }, input) => {
      if (takesSaved && isResidual(name)) {
        const { path } = saved[residualIndex(name)]!;
        expressions.set(buffer, member("saved", path.slice(1)));
        savedInputs.push(input);
        return;
      }
      const own = local(buffer);
      expressions.set(buffer, own);
      if (read.has(buffer)) args.push({ kind: "tensor", name: own, input });
    });
    if (savedInputs.length > 0)
      args.push({ kind: "saved", type: this.savedType(block!), inputs: savedInputs });
    for (const { path, buffer } of fn.parameters)
      expressions.set(buffer, weightMember(path, paths));
    for (const step of fn.steps) {
      if (step.kind === "run") {
        for (const output of step.outputs)
          if (output) expressions.set(output.buffer, local(output.buffer));
        if (step.kernel.op === "scan")
          bodies.set(step, this.make(step.kernel.body, null, undefined));
      }
      if (step.kind === "call") this.placeCall(step, fn, bases, scope, expressions, calls);
    }
    const results = resultsOf(fn, expressions, bases);
    const keeps = results.some(({ path }) => path[0] === "saved");
    const usesWeights =
      fn.parameters.some(({ buffer }) => read.has(buffer)) ||
      fn.steps.some((step) => step.kind === "call" && this.of(step.callee).usesWeights);
    return {
      fn,
      name: block === null ? "" : this.functionName(fn.name, block),
      block,
      arguments: args,
      saved: keeps ? this.savedType(block!) : null,
      usesWeights,
      weights: block === null ? "Weights" : this.weightsType(block),
      paths,
      results,
      bases,
      expressions,
      calls,
      bodies,
      names: scope,
      isBackward: context.isBackward,
    };
  }

  private placeCall(
    step: Extract<Step, { kind: "call" }>,
    fn: ProgramFunction,
    bases: readonly Base[],
    scope: Names,
    expressions: Map<BufferId, string>,
    calls: Map<Step, string>,
  ): void {
    const { results } = this.of(step.callee);
    const direct = results.length === 1 && results[0]!.path.length === 0;
    const [first] = step.outputs;
    const own = step.callee.endsWith(".backward")
      ? `d_${blockName(step.prefix)}`
      : blockName(step.prefix);
    const name =
      direct && typeof first === "number"
        ? scope.unique(bases[first]!.name, this.suffixOf(fn, first))
        : scope.unique(own);
    calls.set(step, name);
    step.outputs.forEach((id, i) => {
      if (id !== null) expressions.set(id, member(name, results[i]!.path));
    });
  }

  /** What a step reads; a call reads what the function takes. */
  private readBy(step: Step): readonly BufferId[] {
    if (step.kind !== "call") return inputsOf(step);
    return this.of(step.callee).arguments.flatMap((argument) =>
      argument.kind === "tensor"
        ? [step.inputs[argument.input]!]
        : argument.inputs.map((input) => step.inputs[input]!),
    );
  }

  private suffixOf(fn: ProgramFunction, buffer: BufferId): string {
    const { type } = fn.buffers[buffer]!;
    return this.letters.covering([type]).all(type);
  }

  private weightPaths(fn: ProgramFunction): string[] {
    const own = fn.parameters.map(({ path }) => path);
    const below = fn.steps.flatMap((step) =>
      step.kind === "call"
        ? this.of(step.callee).paths.map((path) => `${step.prefix}.${path}`)
        : [],
    );
    return [...new Set([...own, ...below])];
  }

  private functionName(name: string, block: string): string {
    const role = name.slice(block.length + 1);
    return this.names.unique(`${identifier(block)}_${role === "" ? "evaluate" : role}`);
  }

  private weightsType(block: string): string {
    return this.type(`${block} weights`, `${identifier(block)}Weights`);
  }

  private savedType(block: string): string {
    return this.type(`${block} saved`, `${identifier(block)}Saved`);
  }

  private type(id: string, wanted: string): string {
    const known = this.types.get(id);
    if (known !== undefined) return known;
    const name = this.names.unique(wanted);
    this.types.set(id, name);
    return name;
  }
}

/** The model's own function has both passes. */
function mainContext(fn: ProgramFunction): BaseContext {
  if (!fn.outputs.some(({ name }) => name.startsWith(gradientPrefix))) return noContext;
  const forward = forwardSteps(fn);
  const isForward = (step: number): boolean => forward.has(step);
  const partners = partnersOf(fn, nameBuffers(fn, noContext), (id) => id, isForward);
  return { residuals: [], partners, isBackward: (step) => !isForward(step) };
}

/** A backward function's residuals, inputs and parameters are buffers of its forward function. */
function forwardBuffers(
  fn: ProgramFunction,
  forward: Plan,
  saved: readonly Result[],
): (backward: BufferId) => BufferId | undefined {
  const known = new Map<BufferId, BufferId | undefined>();
  for (const { name, buffer } of fn.inputs)
    known.set(
      buffer,
      isResidual(name)
        ? saved[residualIndex(name)]?.buffer
        : forward.fn.inputs.find((input) => input.name === name)?.buffer,
    );
  for (const { path, buffer } of fn.parameters)
    known.set(buffer, forward.fn.parameters.find((one) => one.path === path)?.buffer);
  return (backward) => known.get(backward);
}

/** Fields of a call's result: outputs by name, residuals in `saved`, gradients in `weights`, `updates`. */
function resultsOf(
  fn: ProgramFunction,
  expressions: ReadonlyMap<BufferId, string>,
  bases: readonly Base[],
): Result[] {
  const fields = new Names();
  const saved = new Names();
  const outputs = fn.outputs.map(({ name, buffer }): Result => {
    if (name.startsWith(gradientPrefix))
      return { buffer, path: ["weights", name.slice(gradientPrefix.length)] };
    if (!isResidual(name)) return { buffer, path: [fields.unique(name)] };
    const own = expressions.get(buffer)!;
    const isName = /^\w+$/.test(own) && !saved.has(own);
    return { buffer, path: ["saved", saved.unique(isName ? own : bases[buffer]!.name)] };
  });
  const penalties = fn.penalties.map(({ name, buffer }) => ({
    buffer,
    path: [fields.unique(name)],
  }));
  const updates = fn.updates.map(({ path, buffer }) => ({ buffer, path: ["updates", path] }));
  const all = [...outputs, ...penalties, ...updates];
  return all.length === 1 && all[0]!.path.length === 1 ? [{ ...all[0]!, path: [] }] : all;
}
