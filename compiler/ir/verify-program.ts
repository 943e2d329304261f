/**
 * Holds a scheduled program to the rules of its memory: a buffer is allocated once, written once, read
 * only in between, and freed once unless it is a result; what the caller owns is neither written nor freed.
 */

import { allResults } from "./graph.js";
import type { BufferId, Operand, Program, ProgramFunction, Step } from "./program.js";
import { elementCount } from "./types.js";

/** Every broken rule of a program, as sentences; none when it is sound. */
export function verifyProgram(program: Program): readonly string[] {
  const problems: string[] = [];
  if (!program.functions.has(program.main)) problems.push(`there is no function ${program.main}`);
  for (const own of program.functions.values()) verifyFunction(program, own, problems);
  return problems;
}

type Life = "allocated" | "written" | "freed";

function verifyFunction(program: Program, own: ProgramFunction, problems: string[]): void {
  const problem = (text: string): void => {
    problems.push(`${own.name}: ${text}`);
  };
  const borrowed = new Set([...own.inputs, ...own.parameters].map(({ buffer }) => buffer));
  const life = new Map<BufferId, Life>([...borrowed].map((buffer) => [buffer, "written"]));
  const read = (buffer: BufferId, by: string): void => {
    const state = life.get(buffer);
    if (state !== "written")
      problem(`${by} reads #${buffer}, which is ${state ?? "not allocated"}`);
  };
  const write = (buffer: BufferId, by: string): void => {
    if (borrowed.has(buffer)) problem(`${by} writes #${buffer}, which is the caller's`);
    else if (life.get(buffer) !== "allocated")
      problem(`${by} writes #${buffer}, which is ${life.get(buffer) ?? "not allocated"}`);
    life.set(buffer, "written");
  };
  for (const step of own.steps) {
    switch (step.kind) {
      case "alloc":
        if (life.has(step.buffer)) problem(`#${step.buffer} is allocated again`);
        life.set(step.buffer, "allocated");
        break;
      case "run":
        step.inputs.forEach((operand) => {
          read(operand.buffer, step.kernel.op);
          fits(own, operand, step.kernel.op, problem);
        });
        for (const operand of step.outputs)
          if (operand) {
            write(operand.buffer, step.kernel.op);
            fits(own, operand, step.kernel.op, problem);
          }
        if (step.kernel.op === "scan") verifyFunction(program, step.kernel.body, problems);
        break;
      case "call":
        verifyCall(program, step, problem);
        for (const buffer of step.inputs) read(buffer, step.callee);
        for (const buffer of step.outputs) if (buffer !== null) write(buffer, step.callee);
        break;
      case "optimize":
        for (const { buffer } of step.optimize.gradients) read(buffer, "optimize");
        write(step.optimize.norm, "optimize");
        break;
      case "free":
        if (borrowed.has(step.buffer)) problem(`#${step.buffer} is freed, but is the caller's`);
        else if (life.get(step.buffer) !== "written")
          problem(`#${step.buffer} is freed, but is ${life.get(step.buffer) ?? "not allocated"}`);
        life.set(step.buffer, "freed");
        break;
    }
  }
  const results = allResults(own).map(({ buffer }) => buffer);
  for (const buffer of results) {
    read(buffer, "the caller");
    if (borrowed.has(buffer)) problem(`the result #${buffer} is the caller's already`);
  }
  if (new Set(results).size !== results.length) problem("two results are one buffer");
  const kept = new Set([...results, ...borrowed]);
  for (const [buffer, state] of life)
    if (state !== "freed" && !kept.has(buffer)) problem(`#${buffer} is never freed`);
}

function verifyCall(
  program: Program,
  { callee, inputs, outputs }: Extract<Step, { readonly kind: "call" }>,
  problem: (text: string) => void,
): void {
  const target = program.functions.get(callee);
  if (!target) {
    problem(`there is no function ${callee}`);
    return;
  }
  const results = allResults(target).length;
  if (inputs.length !== target.inputs.length || outputs.length !== results)
    problem(
      `${callee} has ${target.inputs.length} inputs and ${results} results, not ${inputs.length} and ${outputs.length}`,
    );
}

function fits(
  own: ProgramFunction,
  { buffer, type }: Operand,
  by: string,
  problem: (text: string) => void,
): void {
  const declared = own.buffers[buffer]?.type;
  if (!declared || declared.dtype !== type.dtype || elementCount(declared) !== elementCount(type))
    problem(`${by} takes #${buffer} for something else`);
}
