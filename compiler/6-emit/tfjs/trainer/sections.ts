/** The one-line headers in long functions: which part of its block a step belongs to. */

import type { BufferId, ProgramFunction, Step } from "../../../ir/program.js";
import { isGradient } from "./results.js";

/** A part in between that is shorter than this gets no header of its own. */
const shortest = 3;

const layouts = "gradients in the layout of their weights";

/**
 * A title for every step, or null: the first segment of the parameters it uses; else the part of what it
 * computes something for, when that is one part; else the part of what it is made from. Forward and
 * backward steps of one function (`isBackward`) are told apart.
 */
export function titlesOf(
  fn: ProgramFunction,
  isBackward: (step: number) => boolean,
): readonly (string | null)[] {
  const graph = new StepGraph(fn);
  const parts = fn.steps.map((step) => ownPart(fn, step));
  for (let i = fn.steps.length - 1; i >= 0; i -= 1) {
    if (parts[i] !== null) continue;
    const users = graph.usersOf(i).filter((user) => isBackward(user) === isBackward(i));
    const theirs = new Set(users.map((user) => parts[user]!).filter((part) => part !== layouts));
    if (theirs.size === 1) parts[i] = [...theirs][0]!;
  }
  fn.steps.forEach((_, i) => {
    parts[i] ??=
      graph
        .makersOf(i)
        .map((maker) => parts[maker]!)
        .findLast((part) => part !== null) ?? null;
  });
  const shown = fn.steps.flatMap(({ kind }, i) => (kind === "run" || kind === "call" ? [i] : []));
  const hasBoth = shown.some((i) => !isBackward(i));
  const titles = parts.map((part, i) =>
    part !== null && part !== layouts && hasBoth && isBackward(i) ? `${part}, backward` : part,
  );
  return withoutShortOnes(titles, shown);
}

function ownPart(fn: ProgramFunction, step: Step): string | null {
  if (step.kind === "call") return step.prefix.split(".")[0]!;
  if (step.kind !== "run") return null;
  const [output] = step.outputs;
  const isOutput = fn.outputs.some(
    ({ name, buffer }) => isGradient(name) && buffer === output?.buffer,
  );
  if (isOutput && step.kernel.op === "expand") return layouts;
  const parameter = fn.parameters.find(({ buffer }) =>
    step.inputs.some((input) => input.buffer === buffer),
  );
  return parameter?.path.split(".")[0] ?? null;
}

/** Who makes and who uses what. */
class StepGraph {
  private readonly users = new Map<BufferId, number[]>();
  private readonly makers = new Map<BufferId, number>();

  constructor(private readonly fn: ProgramFunction) {
    fn.steps.forEach((step, i) => {
      for (const id of inputsOf(step)) {
        const list = this.users.get(id);
        if (list) list.push(i);
        else this.users.set(id, [i]);
      }
      for (const id of outputsOf(step)) this.makers.set(id, i);
    });
  }

  usersOf(step: number): number[] {
    return outputsOf(this.fn.steps[step]!).flatMap((id) => this.users.get(id) ?? []);
  }

  makersOf(step: number): number[] {
    return inputsOf(this.fn.steps[step]!).flatMap((id) => this.makers.get(id) ?? []);
  }
}

/** A few steps of another part within a part are not worth two headers. */
function withoutShortOnes(
  titles: readonly (string | null)[],
  shown: readonly number[],
): (string | null)[] {
  const result = [...titles];
  let last: string | null = null;
  for (let at = 0; at < shown.length;) {
    const title = result[shown[at]!]!;
    let end = at;
    while (end < shown.length && result[shown[end]!] === title) end += 1;
    const next = end < shown.length ? result[shown[end]!]! : null;
    const within = title === null || (end - at < shortest && next === last);
    if (within && last !== null) for (const i of shown.slice(at, end)) result[i] = last;
    else last = title;
    at = end;
  }
  return result;
}

export function inputsOf(step: Step): readonly BufferId[] {
  if (step.kind === "run") return step.inputs.map(({ buffer }) => buffer);
  return step.kind === "call" ? step.inputs : [];
}

export function outputsOf(step: Step): readonly BufferId[] {
  if (step.kind === "run") return step.outputs.flatMap((output) => (output ? [output.buffer] : []));
  return step.kind === "call" ? step.outputs.filter((id) => id !== null) : [];
}
