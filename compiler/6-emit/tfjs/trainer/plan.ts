/**
 * What every function of a program is called in the emitted file, what it takes and gives, and by which
 * expression each of its buffers is read. Statements follow from that.
 */

import type { BufferId, Program, ProgramFunction, Step } from "../../../ir/program.js";
import type { Letters } from "../letters.js";
import { type Base, blockName, nameBuffers } from "./bases.js";
import { backwardContext, mainContext, savedOf } from "./pass-context.js";
import { Names, identifier } from "./names.js";
import { type Result, isResidual, residualIndex, resultsOf } from "./results.js";
import { inputsOf } from "./sections.js";
import { member } from "./text.js";
import { weightMember } from "./weights.js";

/** An argument beside the kernels and the weights: one tensor, or all residuals of a forward function. */
export type Argument =
  | { readonly kind: "tensor"; readonly name: string; readonly input: number }
  | { readonly kind: "saved"; readonly type: string; readonly inputs: readonly number[] };

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
    const saved = forward ? savedOf(forward) : [];
    const context = forward ? backwardContext(fn, forward) : mainContext(fn);
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
    const results = resultsOf(fn, expressions);
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
