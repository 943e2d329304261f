/** Programs as text: what `lsm trace --after schedule` prints. */

import type { Operand, Program, ProgramFunction, ScalarOperand, Step } from "./program.js";
import { showAxes, showType } from "./types.js";

export function printProgram({ main, functions }: Program): string {
  const rest = [...functions.values()].filter(({ name }) => name !== main);
  return [functions.get(main)!, ...rest].map((fn) => printFunction(fn)).join("\n");
}

export function printFunction(fn: ProgramFunction, indent = ""): string {
  const label = (id: number): string => {
    const { name } = fn.buffers[id]!;
    return name === null ? `%${id}` : `%${id}.${name}`;
  };
  const ports = (kind: string, list: ProgramFunction["inputs"]): string[] =>
    list.map(
      ({ name, buffer }) =>
        `${kind} ${name} = ${label(buffer)}: ${showType(fn.buffers[buffer]!.type)}`,
    );
  const paths = (kind: string, list: ProgramFunction["parameters"]): string[] =>
    ports(
      kind,
      list.map(({ path, buffer }) => ({ name: path, buffer })),
    );
  const lines = [
    `function ${fn.name}`,
    ...[
      ...ports("input", fn.inputs),
      ...paths("parameter", fn.parameters),
      ...fn.steps.map((step) => printStep(step, fn, label, `${indent}  `)),
      ...ports("output", fn.outputs),
      ...ports("penalty", fn.penalties),
      ...paths("update", fn.updates),
      ...ports("metric", fn.metrics),
    ].map((line) => `  ${line}`),
  ];
  return lines.map((line) => `${indent}${line}\n`).join("");
}

type Label = (id: number) => string;

function printStep(step: Step, fn: ProgramFunction, label: Label, indent: string): string {
  switch (step.kind) {
    case "alloc":
      return `alloc ${label(step.buffer)}: ${showType(fn.buffers[step.buffer]!.type)}`;
    case "free":
      return `free ${label(step.buffer)}`;
    case "call": {
      const outputs = step.outputs.map((id) => (id === null ? "_" : label(id))).join(", ");
      return `call ${outputs} = ${step.callee}(${step.inputs.map(label).join(", ")}) under ${step.prefix}`;
    }
    case "optimize": {
      const { gradients, muon, ...options } = step.optimize;
      const byMuon = gradients.filter(({ matrix }) => matrix !== null).length;
      const rest = muon ? ` ${byMuon} of them ${JSON.stringify({ muon })}` : "";
      return `optimize ${gradients.length} parameters ${JSON.stringify(options)}${rest}`;
    }
    case "run":
      return printRun(step, fn, label, indent);
  }
}

function printRun(
  step: Extract<Step, { kind: "run" }>,
  fn: ProgramFunction,
  label: Label,
  indent: string,
): string {
  const { kernel, inputs, outputs } = step;
  const operand = ({ buffer, type }: Operand): string => {
    // a buffer whose axes go by other names here
    const own = showType(fn.buffers[buffer]!.type);
    return own === showType(type) ? label(buffer) : `${label(buffer)} as ${showType(type)}`;
  };
  const to = outputs.map((output) => (output === null ? "_" : operand(output))).join(", ");
  const from = inputs.map(operand).join(", ");
  switch (kernel.op) {
    case "map": {
      const values = kernel.code.map(
        ({ fn: name, arguments: args }, i) =>
          `v${i} = ${name}(${args.map(printScalar).join(", ")})`,
      );
      const reduce =
        kernel.reduce === null
          ? ""
          : ` ${kernel.reduce} over the rest of ${showAxes(kernel.loop.axes)}`;
      return `run ${to} = map(${from})${reduce} { ${values.join("; ")} }`;
    }
    case "scan": {
      const body = printFunction(kernel.body, `${indent}  `);
      return `run ${to} = scan(${from}) ${JSON.stringify(kernel.attributes)} {\n${body}${indent}}`;
    }
    default:
      return `run ${to} = ${kernel.op}(${from}) ${JSON.stringify(kernel.attributes)}`;
  }
}

function printScalar(operand: ScalarOperand): string {
  switch (operand.kind) {
    case "input":
      return `#${operand.index}`;
    case "value":
      return `v${operand.index}`;
    case "constant":
      return String(operand.value);
    case "position":
      return `position ${operand.axis}`;
  }
}
