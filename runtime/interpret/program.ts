/**
 * The float64 interpreter of scheduled programs: the same definitions as for graphs, step by step, with
 * memory taken at its word: reading a buffer that is not there, or was freed, is a fault.
 */

import { allResults } from "../../compiler/ir/graph.js";
import type {
  BufferId,
  MapKernel,
  Operand,
  Optimize,
  Program,
  ProgramFunction,
  ScanKernel,
  Step,
} from "../../compiler/ir/program.js";
import { scalarFunctions } from "../../compiler/ir/scalar-functions.js";
import { InternalFault, findAxis } from "../../compiler/ir/types.js";
import type { Tensors } from "./interpret.js";
import { type Kernel, type KernelOp, kernels } from "./ops.js";
import { runScan } from "./scan.js";
import { type Tensor, tensor, visit } from "./tensor.js";

/** Parameters with their moments (m and v, or Muon's m), replaced by each step; rate and number of the step at hand. */
export interface OptimizerState {
  readonly parameters: Map<string, Tensor>;
  readonly moments: Map<string, readonly Tensor[]>;
  readonly rate: number;
  readonly step: number; // from 1
}

export interface ProgramResults {
  readonly outputs: Map<string, Tensor>;
  readonly updates: Map<string, Tensor>;
  readonly metrics: Map<string, Tensor>;
  /** Buffers that were neither freed nor given to the caller: none in a correct schedule. */
  readonly leaked: readonly BufferId[];
}

/** Runs `main` of a program. */
export function interpretProgram(
  program: Program,
  inputs: Tensors,
  parameters: Tensors,
  optimizer: OptimizerState | null = null,
): ProgramResults {
  const main = program.functions.get(program.main)!;
  const given = main.inputs.map(({ name }) => inputs.get(name)!);
  const memory = invoke({ program, parameters, optimizer }, main, given, "");
  const kept = new Set(
    [...main.inputs, ...main.parameters, ...main.outputs, ...main.updates, ...main.metrics].map(
      ({ buffer }) => buffer,
    ),
  );
  return {
    outputs: new Map(main.outputs.map(({ name, buffer }) => [name, read(memory, buffer)])),
    updates: new Map(main.updates.map(({ path, buffer }) => [path, read(memory, buffer)])),
    metrics: new Map(main.metrics.map(({ name, buffer }) => [name, read(memory, buffer)])),
    leaked: [...memory.keys()].filter((buffer) => !kept.has(buffer)),
  };
}

type Memory = Map<BufferId, Tensor | null>; // null: allocated, not yet written

interface Machine {
  readonly program: Program;
  readonly parameters: Tensors;
  readonly optimizer: OptimizerState | null;
}

function read(memory: Memory, buffer: BufferId): Tensor {
  const value = memory.get(buffer);
  if (!value)
    throw new InternalFault(
      `buffer ${buffer} is read ${value === null ? "before it is written" : "while it is not allocated"}`,
    );
  return value;
}

function write(memory: Memory, buffer: BufferId, value: Tensor): void {
  if (!memory.has(buffer))
    throw new InternalFault(`buffer ${buffer} is written while it is not allocated`);
  memory.set(buffer, value);
}

function invoke(
  machine: Machine,
  fn: ProgramFunction,
  inputs: readonly Tensor[],
  prefix: string,
): Memory {
  const memory: Memory = new Map();
  fn.inputs.forEach(({ buffer }, i) => memory.set(buffer, inputs[i]!));
  for (const { path, buffer } of fn.parameters)
    memory.set(buffer, machine.parameters.get(prefix + path)!);
  const borrowed = new Set([...fn.inputs, ...fn.parameters].map(({ buffer }) => buffer));
  for (const step of fn.steps) {
    if (step.kind === "free" && borrowed.has(step.buffer))
      throw new InternalFault(`${fn.name} frees what it was given`);
    execute(machine, memory, step, prefix);
  }
  return memory;
}

function execute(machine: Machine, memory: Memory, step: Step, prefix: string): void {
  switch (step.kind) {
    case "alloc":
      memory.set(step.buffer, null);
      return;
    case "free":
      read(memory, step.buffer);
      memory.delete(step.buffer);
      return;
    case "optimize":
      write(memory, step.optimize.norm, optimize(machine, memory, step.optimize));
      return;
    case "call": {
      const callee = machine.program.functions.get(step.callee)!;
      const inner = invoke(
        machine,
        callee,
        step.inputs.map((id) => read(memory, id)),
        `${prefix}${step.prefix}.`,
      );
      const results = allResults(callee);
      step.outputs.forEach((id, i) => {
        if (id !== null) write(memory, id, read(inner, results[i]!.buffer));
      });
      return;
    }
    case "run": {
      const inputs = step.inputs.map(({ buffer, type }) =>
        tensor(type.axes, read(memory, buffer).data),
      );
      const results = runKernel(machine, step, inputs);
      step.outputs.forEach((output, i) => {
        if (output) write(memory, output.buffer, results[i]!);
      });
    }
  }
}

function runKernel(
  machine: Machine,
  { kernel, outputs }: Extract<Step, { kind: "run" }>,
  inputs: readonly Tensor[],
): readonly Tensor[] {
  if (kernel.op === "map") return [runMap(kernel, inputs, outputs[0]!)];
  if (kernel.op === "scan") return scan(machine, kernel, inputs);
  const definition = (kernels as Record<string, unknown>)[kernel.op] as Kernel<KernelOp>;
  return definition(
    kernel.attributes as never,
    inputs,
    outputs.map((output) => output!.type),
  );
}

/** Elementwise code at every point of the loop, reduced into the output. */
function runMap(
  { code, loop, reduce }: MapKernel,
  inputs: readonly Tensor[],
  output: Operand,
): Tensor {
  const out = tensor(output.type.axes);
  if (reduce === "max") out.data.fill(-Infinity);
  const positions = loop.axes.map((axis) =>
    tensor(
      [axis],
      Float64Array.from({ length: axis.size }, (_, i) => i),
    ),
  );
  const place = new Map(loop.axes.map(({ name }, i) => [name, inputs.length + i]));
  const values = new Float64Array(code.length);
  const operands = [...inputs, ...positions];
  visit(
    loop.axes,
    [...operands, out].map(({ axes }) => axes),
    (o) => {
      code.forEach(({ fn, arguments: args }, i) => {
        const [a = 0, b = 0, c = 0] = args.map((arg) => {
          if (arg.kind === "constant") return arg.value;
          if (arg.kind === "value") return values[arg.index]!;
          const at = arg.kind === "input" ? arg.index : place.get(arg.axis)!;
          return operands[at]!.data[o[at]!]!;
        });
        values[i] = scalarFunctions[fn].evaluate(a, b, c);
      });
      const value = values[code.length - 1]!;
      const at = o[operands.length]!;
      if (reduce === "sum") out.data[at]! += value;
      else if (reduce === "max") out.data[at] = Math.max(out.data[at]!, value);
      else out.data[at] = value;
    },
  );
  return out;
}

function scan(
  machine: Machine,
  { attributes, body }: ScanKernel,
  inputs: readonly Tensor[],
): readonly Tensor[] {
  const { states } = attributes;
  const along = inputs
    .slice(states)
    .find(({ axes }) => findAxis({ dtype: "float", axes }, attributes.axis))!;
  const axis = findAxis({ dtype: "float", axes: along.axes }, attributes.axis)!;
  const typeOf = ({ buffer }: { readonly buffer: BufferId }) => body.buffers[buffer]!.type.axes;
  return runScan(attributes, inputs, axis, body.outputs.map(typeOf), (args) => {
    const memory = invoke(machine, body, args, "");
    return body.outputs.map(({ buffer }) => read(memory, buffer));
  });
}

/** ‖g‖ over all gradients; then AdamW or Muon on g · min(1, clip / ‖g‖). */
function optimize({ optimizer }: Machine, memory: Memory, step: Optimize): Tensor {
  if (!optimizer) throw new InternalFault("a training step needs the optimiser's state");
  const gradients = step.gradients.map(({ buffer }) => read(memory, buffer));
  const norm = Math.sqrt(
    gradients.reduce((sum, { data }) => data.reduce((s, g) => s + g * g, sum), 0),
  );
  const scale = step.clip !== null && norm > step.clip ? step.clip / norm : 1;
  const scalarOf = (value: number): Tensor => tensor([], Float64Array.of(value));
  step.gradients.forEach(({ path, decay: decays, matrix }, i) => {
    const [m, v] = optimizer.moments.get(path)!;
    const gradient = tensor(
      gradients[i]!.axes,
      gradients[i]!.data.map((g) => g * scale),
    );
    const decay = decays ? step.decay : 0;
    const weight = optimizer.parameters.get(path)!;
    const [rate, count] = [scalarOf(optimizer.rate), scalarOf(optimizer.step)];
    const [p, ...next] =
      matrix && step.muon
        ? kernels.muon({ ...step.muon, matrix, decay }, [weight, gradient, m!, rate], [])
        : kernels.adamw({ ...step, decay }, [weight, gradient, m!, v!, rate, count], []);
    optimizer.parameters.set(path, p!);
    optimizer.moments.set(path, next);
  });
  return scalarOf(norm);
}
