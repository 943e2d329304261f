/**
 * The kernels view: a scheduled program as it runs, a panel for each function. A box is one kernel with what
 * it computes and costs; a wire is a buffer with its axes and bytes.
 */

import { type Cost, kernelCost, programCosts } from "../../5-schedule/costs.js";
import { type Memory, programMemory } from "../../5-schedule/memory.js";
import type {
  BufferId,
  Kernel,
  Operand,
  Optimize,
  Program,
  ProgramFunction,
  Step,
} from "../../ir/program.js";
import { byteCount } from "../../ir/types.js";
import { axesText } from "./axes-text.js";
import type { Box, Drawing, Line, Panel, Shape } from "./drawing.js";
import { bytes, count } from "./figures.js";
import { FlowBuilder } from "./flow-builder.js";
import { kernelText } from "./kernel-text.js";
import { wrap } from "./text-width.js";

export interface KernelsOptions {
  readonly title: string;
  /** What the program is: "forward pass of 16 × 256 tokens". */
  readonly what: string;
}

export function kernels(program: Program, { title, what }: KernelsOptions): Drawing {
  const costs = programCosts(program);
  const memory = programMemory(program);
  const rest = [...program.functions.keys()].filter((name) => name !== program.main);
  const panels = [program.main, ...rest].map((name, at): Panel => {
    const fn = program.functions.get(name)!;
    return {
      title: name === program.main ? `${title}: ${what}` : name,
      facts: factsOf(fn, costs.get(name)!, memory.get(name)!),
      flow: new FunctionReader(fn, costs, `k${at}.`).read(),
    };
  });
  const { facts } = panels[0]!;
  const description = `The kernels of the ${what}, in ${panels.length} functions. ${facts.join(", ")}.`;
  return { title: `${title}, kernels`, facts, description, panels };
}

function factsOf({ steps }: ProgramFunction, cost: Cost, { peak, buffers }: Memory): string[] {
  const runs = steps.filter(({ kind }) => kind === "run").length;
  const calls = steps.filter(({ kind }) => kind === "call").length;
  return [
    `${runs} kernels${calls === 0 ? "" : `, ${calls} calls`}`,
    `${count(cost.flops)} FLOPs`,
    `${bytes(cost.bytes)} moved`,
    `${buffers} buffers, at most ${bytes(peak)} at once`,
  ];
}

/** Where a buffer's value comes from: a box, or a parameter, which is written into the boxes that read it. */
type Source =
  | { readonly kind: "box"; readonly id: string }
  | { readonly kind: "parameter"; readonly path: string };

const shapes: Partial<Record<Kernel["op"], Shape>> = {
  scan: "state",
  solve: "state",
  dot: "attend",
  grouped_dot: "attend",
  grouped_outer: "attend",
  top_k: "route",
  argsort: "route",
  take: "route",
  put: "route",
};

class FunctionReader {
  private readonly flow: FlowBuilder;
  private readonly sources = new Map<BufferId, Source>();

  constructor(
    private readonly fn: ProgramFunction,
    private readonly costs: ReadonlyMap<string, Cost>,
    prefix: string,
  ) {
    this.flow = new FlowBuilder(prefix);
  }

  read() {
    for (const { path, buffer } of this.fn.parameters)
      this.sources.set(buffer, { kind: "parameter", path });
    const used = new Set(this.fn.steps.flatMap(readBy));
    for (const { name, buffer } of this.fn.inputs)
      if (used.has(buffer)) this.box("port", [{ text: name, style: "code" }], [], [buffer]);
    for (const step of this.fn.steps) this.step(step);
    return this.flow.finish(null);
  }

  private step(step: Step): void {
    if (step.kind === "run") this.kernel(step.kernel, step.inputs, step.outputs);
    else if (step.kind === "call") {
      const { callee, prefix, inputs, outputs } = step;
      const cost = this.costs.get(callee)!;
      const lines: Line[] = [
        { text: prefix === "" ? callee : prefix, style: "title" },
        { text: callee, style: "text" },
        { text: costText(cost), style: "faint" },
      ];
      this.box("block", lines, inputs, outputs);
    } else if (step.kind === "optimize") {
      const { gradients, norm } = step.optimize;
      const lines: Line[] = [
        { text: "optimize", style: "title" },
        { text: `clip, ${updatesText(gradients)}`, style: "text" },
      ];
      this.box(
        "mix",
        lines,
        gradients.map(({ buffer }) => buffer),
        [norm],
      );
    }
  }

  private kernel(
    kernel: Kernel,
    inputs: readonly Operand[],
    outputs: readonly (Operand | null)[],
  ): void {
    const made = outputs.map((output) => output?.buffer ?? null);
    const name = made.map((id) => (id === null ? null : this.fn.buffers[id]!.name)).find(Boolean);
    const weights = inputs.flatMap(({ buffer }) => {
      const source = this.sources.get(buffer);
      return source?.kind === "parameter" ? [source.path] : [];
    });
    const cost = kernelCost(kernel, inputs, outputs);
    const lines: Line[] = [
      { text: kernel.op, style: "title", ...(name ? { beside: name } : {}) },
      ...wrap(kernelText(kernel), "code", 260).map((text) => ({ text, style: "code" as const })),
      ...[...new Set(weights)].map((path) => ({ text: `with ${path}`, style: "text" as const })),
      { text: costText(cost), style: "faint" },
    ];
    this.box(
      shapes[kernel.op] ?? "step",
      lines,
      inputs.map(({ buffer }) => buffer),
      made,
    );
  }

  private box(
    shape: Shape,
    lines: readonly Line[],
    inputs: readonly BufferId[],
    outputs: readonly (BufferId | null)[],
  ): void {
    const made = outputs.filter((id) => id !== null);
    const note = lines.map(({ text, beside }) => (beside ? `${text} ${beside}` : text)).join("\n");
    const box: Omit<Box, "id"> = { shape, lines, inside: null, span: null, note };
    const id = this.flow.add(box, this.wireText(made));
    for (const buffer of inputs) {
      const source = this.sources.get(buffer);
      if (source?.kind === "box") this.flow.connect(source.id, id);
    }
    for (const buffer of made) this.sources.set(buffer, { kind: "box", id });
  }

  private wireText(made: readonly BufferId[]): string {
    const sizes = made.map((id) => byteCount(this.fn.buffers[id]!.type));
    const total = bytes(sizes.reduce((sum, size) => sum + size, 0));
    const [only, ...others] = made;
    if (only === undefined) return "";
    return others.length > 0
      ? `${made.length} buffers, ${total}`
      : `${axesText(this.fn.buffers[only]!.type.axes)}, ${total}`;
  }
}

/** "AdamW on 12 tensors", or "Muon on 9 tensors, AdamW on 3". */
function updatesText(gradients: Optimize["gradients"]): string {
  const byMuon = gradients.filter(({ matrix }) => matrix !== null).length;
  const rest = gradients.length - byMuon;
  return byMuon > 0
    ? `Muon on ${byMuon} tensors, AdamW on ${rest}`
    : `AdamW on ${gradients.length} tensors`;
}

const costText = ({ flops, bytes: moved }: Cost): string =>
  `${count(flops)} FLOPs, ${bytes(moved)} moved`;

function readBy(step: Step): readonly BufferId[] {
  if (step.kind === "run") return step.inputs.map(({ buffer }) => buffer);
  return step.kind === "call" ? step.inputs : [];
}
