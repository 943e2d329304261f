/**
 * Runs a program through a KernelSet, step by step: what emitted TypeScript does, without emitting it.
 * `lsm generate` and the conformance tests use it.
 */

import { allResults } from "../../ir/graph.js";
import type { Tensor } from "@tensorflow/tfjs";
import type {
  KernelSet,
  MapKernel as RuntimeMap,
  ScanOptions,
} from "../../../runtime/tfjs/kernel-set.js";
import type { Operand, Program, ProgramFunction, ScanKernel, Step } from "../../ir/program.js";
import { InternalFault } from "../../ir/types.js";
import { kernelCalls, letteredMap } from "./kernel-call.js";
import type { Letters } from "./letters.js";
import { scanOptions } from "./scan-options.js";

export type Weights = ReadonlyMap<string, Tensor>;

export interface Executed {
  readonly outputs: ReadonlyMap<string, Tensor>;
  readonly updates: ReadonlyMap<string, Tensor>;
  readonly metrics: ReadonlyMap<string, Tensor>;
}

type Slots = (Tensor | undefined)[];
type Compiled = (slots: Slots, prefix: string) => void;

export class Executor {
  private readonly compiled = new Map<ProgramFunction, readonly Compiled[]>();

  constructor(
    private readonly program: Program,
    private readonly kernels: KernelSet,
    private readonly letters: Letters,
    private readonly weights: Weights,
  ) {}

  /** Runs `main`; results belong to the caller, inputs stay the caller's. */
  run(inputs: ReadonlyMap<string, Tensor>): Executed {
    const main = this.program.functions.get(this.program.main)!;
    const given = main.inputs.map(({ name }) => {
      const tensor = inputs.get(name);
      if (!tensor) throw new InternalFault(`the program is given no ${name}`);
      return tensor;
    });
    const slots = this.invoke(main, given, "");
    for (const { buffer } of main.penalties) slots[buffer]!.dispose(); // the objective has them
    return {
      outputs: new Map(main.outputs.map(({ name, buffer }) => [name, slots[buffer]!])),
      updates: new Map(main.updates.map(({ path, buffer }) => [path, slots[buffer]!])),
      metrics: new Map(main.metrics.map(({ name, buffer }) => [name, slots[buffer]!])),
    };
  }

  private invoke(fn: ProgramFunction, inputs: readonly Tensor[], prefix: string): Slots {
    const slots: Slots = new Array<Tensor | undefined>(fn.buffers.length);
    fn.inputs.forEach(({ buffer }, i) => (slots[buffer] = inputs[i]));
    for (const { path, buffer } of fn.parameters) slots[buffer] = this.weights.get(prefix + path);
    let steps = this.compiled.get(fn);
    if (!steps) {
      steps = fn.steps.map((step) => this.compile(step));
      this.compiled.set(fn, steps);
    }
    for (const step of steps) step(slots, prefix);
    return slots;
  }

  private compile(step: Step): Compiled {
    switch (step.kind) {
      case "alloc":
        return () => undefined; // kernels give fresh tensors
      case "free":
        return (slots) => {
          slots[step.buffer]!.dispose();
          slots[step.buffer] = undefined;
        };
      case "optimize":
        throw new InternalFault("the optimiser is run by the training loop");
      case "call": {
        const callee = this.program.functions.get(step.callee)!;
        const results = allResults(callee).map(({ buffer }) => buffer);
        return (slots, prefix) => {
          const inner = this.invoke(
            callee,
            step.inputs.map((id) => slots[id]!),
            `${prefix}${step.prefix}.`,
          );
          step.outputs.forEach((id, i) => {
            const made = inner[results[i]!]!;
            if (id === null) made.dispose();
            else slots[id] = made;
          });
        };
      }
      case "run":
        return this.compileRun(step);
    }
  }

  private compileRun({ kernel, inputs, outputs }: Extract<Step, { kind: "run" }>): Compiled {
    const ids = inputs.map(({ buffer }) => buffer);
    const tensors = (slots: Slots): Tensor[] => ids.map((id) => slots[id]!);
    if (kernel.op === "scan") return this.compileScan(kernel, inputs, outputs);
    const output = outputs[0]!;
    if (kernel.op === "map") {
      const map = letteredMap(kernel, inputs, output, this.letters);
      const { sizes } = map;
      return (slots) => {
        slots[output.buffer] = this.kernels.map(map as RuntimeMap, tensors(slots), sizes);
      };
    }
    const calls = kernelCalls(kernel, inputs, output, this.letters);
    return (slots) => {
      let given = tensors(slots);
      calls.forEach(({ method, arguments: args }, i) => {
        const values = args.map((argument) =>
          argument.kind === "tensor"
            ? given[argument.index]
            : argument.kind === "tensors"
              ? given
              : argument.kind === "shape"
                ? argument.axes.map(({ size }) => size)
                : argument.value,
        );
        const made = (this.kernels as unknown as Record<string, (...args: unknown[]) => Tensor>)[
          method
        ]!(...values);
        if (i > 0) given[0]!.dispose();
        given = [made];
      });
      slots[output.buffer] = given[0];
    };
  }

  private compileScan(
    kernel: ScanKernel,
    inputs: readonly Operand[],
    outputs: readonly (Operand | null)[],
  ): Compiled {
    const { attributes, body } = kernel;
    const { options, split } = scanOptions(kernel, inputs, outputs, this.letters);
    return (slots) => {
      const tensors = inputs.map(({ buffer }) => slots[buffer]!);
      const resets =
        options.resets === null ? null : { ...options.resets, flags: tensors[attributes.states]! };
      const result = this.kernels.scan(
        { ...options, resets } as ScanOptions,
        tensors.slice(0, attributes.states),
        tensors.slice(split.sequences, split.statics),
        tensors.slice(split.statics),
        (states, sequences, statics) => {
          const inner = this.invoke(body, [...states, ...sequences, ...statics], "");
          const made = body.outputs.map(({ buffer }) => inner[buffer]!);
          return {
            states: made.slice(0, attributes.states),
            outputs: made.slice(attributes.states),
          };
        },
      );
      const all = [...result.outputs, ...result.finals, ...result.befores];
      outputs.forEach((output, i) => {
        if (output) slots[output.buffer] = all[i]!;
      });
    };
  }
}
