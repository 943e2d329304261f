/**
 * A region as the body of a Python function: one statement for every value that has a name or is used more
 * than once; all else stands inside the expressions that use it.
 */

import type { Graph, NodeOf, ValueId } from "../../ir/graph.js";
import { type Axis, InternalFault } from "../../ir/types.js";
import { type Letters, numberText } from "./letters.js";
import { LeafModuleless } from "./moduleless.js";
import { Variables, dotted } from "./names.js";
import { stepText } from "./op-text.js";
import { type Region, looksBack } from "./regions.js";
import { comparisons } from "./scalar-text.js";
import { type LinearStep, namesOf, sideBySide } from "./side-by-side.js";
import { stemOf } from "./stems.js";
import { GraphView, type Step, isFused } from "./steps.js";
import { type Text, atom, statement, tightness } from "./text.js";
import type { Surroundings } from "./writer.js";

/** An expression longer than this gets a name. */
const longestInline = 64;

export interface FunctionContext {
  readonly letters: Letters;
  readonly helpers: Set<string>;
  /** Lines for a call of another function, given the texts of its inputs. */
  call(printer: FunctionPrinter, node: NodeOf<"call">): void;
  /** The constructor path of a region's own class. */
  readonly path: string;
  /** Whether the function has a cache to go on from. */
  readonly cached: boolean;
}

export class FunctionPrinter {
  readonly lines: string[] = [];
  private readonly texts = new Map<ValueId, Text>();
  private readonly inline = new Set<ValueId>();
  private readonly names: Variables;
  private readonly uses = new Map<ValueId, number>();
  private readonly surroundings: Surroundings;
  private reference: string | null = null;
  readsSizes = false;

  constructor(
    readonly view: GraphView,
    private readonly context: FunctionContext,
    private readonly indent: number,
    outer: Iterable<string> = [],
    device: string | null = null,
  ) {
    this.names = new Variables(outer);
    this.reference = device;
    this.surroundings = {
      letters: context.letters,
      axes: (id) => view.axes(id),
      text: (id) => this.text(id),
      condition: (id) => this.condition(id),
      module: (path) => this.member(path),
      device: () => this.reference ?? "None",
      isZero: (id) => view.isStart(id),
      cache: context.cached ? ["cache"] : [],
      use: (helper) => context.helpers.add(helper),
    };
  }

  /** Declares a parameter of the function; gives its name. */
  input(id: ValueId, stem: string, isTensor = true): string {
    const name = this.names.unique(stem, this.context.letters.suffix(this.view.axes(id)));
    this.texts.set(this.view.source(id), atom(name));
    if (isTensor) this.reference ??= `${name}.device`;
    return name;
  }

  fresh(stem: string, axes: readonly Axis[]): string {
    return this.names.unique(stem, this.context.letters.suffix(axes));
  }

  set(id: ValueId, text: string): void {
    this.texts.set(this.view.source(id), atom(text));
  }

  line(text: string): void {
    this.lines.push(...statement(text, this.indent));
  }

  /** Runs all items; `wanted` are the function's results. */
  run(region: Region, wanted: readonly ValueId[]): void {
    for (const item of region.items) {
      const inputs = item.kind === "step" ? new Set(item.step.inputs) : new Set(item.region.inputs);
      for (const id of inputs) this.count(id);
    }
    wanted.forEach((id) => {
      this.count(id);
    });
    const groups = sideBySide(this.view, region);
    for (const item of region.items) {
      if (item.kind === "region") this.region(item.region);
      else if (groups.has(item.step)) this.linears(groups.get(item.step)!, region);
      else if (!this.texts.has(this.view.source(item.step.outputs[0]!))) this.step(item.step);
    }
  }

  private linears(group: readonly LinearStep[], region: Region): void {
    this.context.helpers.add("linears");
    const x = this.text(group[0]!.inputs[0]!).text;
    const layers = group.map(({ attributes: { path } }) => this.member(path));
    const stems = namesOf(group, region, (step) => this.label(step));
    const made = group.map(({ outputs: [id] }, i) => {
      const name = this.fresh(stems[i]!, this.view.axes(id!));
      this.set(id!, name);
      return name;
    });
    this.line(`${made.join(", ")} = linears(${x}, ${layers.join(", ")})`);
  }

  private count(id: ValueId): void {
    const source = this.view.source(id);
    this.uses.set(source, (this.uses.get(source) ?? 0) + 1);
  }

  /** A value as it may stand in any expression. */
  text(id: ValueId): Text {
    const constant = this.view.constant(id);
    if (constant !== null) {
      const text = numberText(constant);
      if (/[BT]/.test(text)) this.readsSizes = true;
      return { text, tight: constant < 0 ? tightness.sign : tightness.atom };
    }
    const source = this.view.source(id);
    const known = this.texts.get(source);
    if (known) return known;
    const path = this.view.parameterPath(source);
    if (path !== null) return atom(this.member(path));
    throw new Error(`value ${id} of ${this.view.graph.name} has no text`);
  }

  /** A value in the order of axes that its type says, for results. */
  result(id: ValueId): string {
    return this.text(id).text;
  }

  member(path: string): string {
    const { path: home } = this.context;
    const relative = home === "" ? path : path.slice(home.length + 1);
    return dotted(`self.${relative}`);
  }

  private condition(id: ValueId): ReturnType<Surroundings["condition"]> {
    const node = this.view.producer(id);
    if (node?.op !== "map" || !(node.attributes.fn in comparisons)) return null;
    const ready = node.inputs.every(
      (input) => this.view.constant(input) !== null || this.texts.has(this.view.source(input)),
    );
    return ready
      ? { fn: node.attributes.fn as keyof typeof comparisons, inputs: node.inputs }
      : null;
  }

  private region(region: Region): void {
    const args = region.inputs.map((id) => this.text(id).text);
    if (this.context.cached && looksBack(region)) args.push("cache");
    const made = region.outputs.map((id) => {
      const penalty = this.view.graph.penalties.find((port) => port.value === id)?.name;
      const label = penalty ?? this.view.graph.values[id]!.name ?? "y";
      const name = this.fresh(label, this.view.axes(id));
      this.set(id, name);
      return name;
    });
    this.line(`${made.join(", ")} = ${this.member(region.path)}(${args.join(", ")})`);
  }

  private step(step: Step): void {
    if (!isFused(step) && step.op === "call") return this.context.call(this, step);
    if (!isFused(step) && step.op === "scan") return this.scan(step);
    const id = step.outputs[0]!;
    const axes = this.view.axes(id);
    const text = stepText(step, axes, this.surroundings);
    const sizes = /\b[BT]\b/.test(text.text);
    if (sizes) this.readsSizes = true;
    const label = this.label(step);
    const once = (this.uses.get(this.view.source(id)) ?? 0) === 1;
    const inside = once && text.text.length <= longestInline;
    if (label === null && (inside || this.onlyConditions(step))) {
      this.texts.set(id, text);
      this.inline.add(id);
      return;
    }
    const name = this.fresh(label ?? stemOf(step), axes);
    this.line(`${name} = ${text.text}`);
    this.texts.set(id, atom(name));
  }

  /** The source's name of a result; what the library calls its own results says nothing here. */
  private label(step: Step): string | null {
    const { name } = this.view.graph.values[step.outputs[0]!]!;
    return name === "y" || name === "e" || (isFused(step) && step.op === "silu") ? null : name;
  }

  /** True for comparisons that only choose between values or reset states: those say them themselves. */
  private onlyConditions(step: Step): boolean {
    if (isFused(step) || step.op !== "map" || !(step.attributes.fn in comparisons)) return false;
    const [id] = step.outputs as [ValueId];
    const users = this.view.graph.nodes.filter(({ inputs }) => inputs.includes(id));
    return users.every(
      (node) =>
        (node.op === "scan" && node.inputs[node.attributes.states] === id) ||
        (node.op === "map" &&
          node.attributes.fn === "select" &&
          node.inputs.lastIndexOf(id) === 0 &&
          this.condition(id) !== null),
    );
  }

  /** A token loop: the step is a function of its own inside this one. */
  private scan(node: NodeOf<"scan">): void {
    const { axis, body, states, sequences, restart, label } = node.attributes;
    const { letters, helpers } = this.context;
    helpers.add("token_loop");
    const [flags] = node.inputs.slice(states) as [ValueId];
    const positions = this.view.map(flags, "eq")![0]!;
    const name = this.names.unique("step", "");
    const view = new GraphView(body, LeafModuleless);
    const inner = new FunctionPrinter(
      view,
      this.context,
      this.indent + 4,
      this.names.all(),
      this.reference,
    );
    const takes = body.inputs
      .slice(0, states + sequences)
      .map(({ name: own, value }) => inner.input(value, own));
    body.inputs.slice(states + sequences).forEach(({ value }, i) => {
      inner.texts.set(value, this.text(node.inputs[states + 1 + sequences + i]!));
    });
    this.lines.push("");
    this.line(
      `def ${name}(${takes.map((take) => `${take}: Tensor`).join(", ")}) -> tuple[Tensor, ...]:`,
    );
    this.lines.push(
      `${" ".repeat(this.indent + 4)}"""One token's step of ${label.replace(/.*\./, "")}."""`,
    );
    inner.body(body);
    this.lines.push(...inner.lines, "");
    if (inner.readsSizes) this.readsSizes = true;
    const initial = node.inputs.slice(0, states).map((id) => this.text(id).text);
    const given = node.inputs.slice(states + 1, states + 1 + sequences).map((id) => {
      const own = this.view.axes(id);
      if (own[0]?.name !== "batch" || own[1]?.name !== axis)
        throw new InternalFault(`a sequence of ${label} is not one of every ${axis} of a batch`);
      return this.text(id).text;
    });
    const used = (id: ValueId): boolean => (this.uses.get(id) ?? 0) > 0;
    const last = node.outputs.reduce((found, id, i) => (used(id) ? i : found), 0);
    const targets = node.outputs.slice(0, last + 1).map((id) => {
      if (!used(id)) return "_";
      const made = this.fresh(this.view.graph.values[id]!.name ?? "o", this.view.axes(id));
      this.set(id, made);
      return made;
    });
    if (last + 1 < node.outputs.length) targets.push("*_");
    const tuple = (parts: readonly string[]): string =>
      `(${parts.join(", ")}${parts.length === 1 ? "," : ""})`;
    const restarts = restart.every((value) => value === 0)
      ? ""
      : `, restart=${tuple(restart.map(String))}`;
    const cache = this.context.cached ? ", cache=cache" : "";
    const sequencesOf = `${tuple(given)}, ${this.text(positions).text}`;
    this.line(
      `${targets.join(", ")} = token_loop(${name}, ${tuple(initial)}, ${sequencesOf}${restarts}${cache})`,
    );
    void letters;
  }

  /** A step's graph, whose results are returned in the axes its ports have. */
  private body(graph: Graph): void {
    for (const node of graph.nodes) for (const id of node.inputs) this.count(id);
    graph.outputs.forEach(({ value }) => {
      this.count(value);
    });
    for (const node of graph.nodes)
      if (node.op !== "constant" && node.op !== "rename") this.step(node);
    const results = graph.outputs.map(({ value }) => this.text(value).text);
    this.line(`return ${results.join(", ")}${results.length === 1 ? "," : ""}`);
  }
}
