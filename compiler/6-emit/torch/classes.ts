/** The classes of model.py: one for each layer with parameters, one for each block, and the model's own. */

import type { Model } from "../../1-check/model.js";
import type { Graph, Module, ValueId } from "../../ir/graph.js";
import { docstring, inputNames, pascal, signature, sizes } from "./class-text.js";
import { anyPenalty, chainsOf, ownPenalties, ownUpdates, printCall } from "./calls.js";
import { FunctionPrinter } from "./function-text.js";
import { leafModules } from "./leaves.js";
import type { Letters } from "./letters.js";
import { notedIn, ownMetrics, printNotes } from "./loads.js";
import { memberLines, membersOf } from "./members.js";
import { stepsOf } from "./recognise.js";
import { type Layer, type Region, layersOf, looksBack, regionOf } from "./regions.js";
import { routedInOneRow } from "./one-row.js";
import { GraphView } from "./steps.js";
import { statement, tightness, within } from "./text.js";

/** What only losses need. */
const labels: ReadonlySet<string> = new Set(["targets", "future", "weights"]);

export class ClassWriter {
  readonly texts: string[] = [];
  readonly helpers = new Set<string>();
  /** Class names by what they do, and how often a name was wanted. */
  private readonly known = new Map<string, string>();
  private readonly taken = new Set([
    "Linear",
    "ExpertLinear",
    "RMSNorm",
    "ShortConv",
    "Parts",
    "Cache",
    "Tensor",
    "F",
  ]); // imported
  private readonly blocks = new Map<string, string>();
  private readonly penalised: boolean;
  /** Whether the model is one of tokens, which it can write itself. */
  private readonly cached: boolean;

  constructor(
    private readonly model: Pick<Model, "name" | "doc" | "module" | "parts">,
    private readonly module: Module,
    private readonly letters: Letters,
  ) {
    this.penalised = anyPenalty(module);
    this.cached = module.functions.get(module.main)!.inputs.some(({ name }) => name === "tokens");
    if (this.cached) this.helpers.add("Cache");
  }

  /** Writes all classes; gives the name of the model's. */
  write(): string {
    for (const [name, graph] of this.module.functions)
      if (name !== this.module.main) this.blocks.set(name, this.block(name, graph));
    return this.main(this.module.functions.get(this.module.main)!);
  }

  private block(name: string, graph: Graph): string {
    const view = new GraphView(graph, leafModules(graph));
    const updates = ownUpdates(graph);
    const penalties = ownPenalties(graph);
    const output = graph.outputs[0]!.value;
    const wanted = [output, ...penalties, ...updates.map(({ value }) => value)];
    const { region, layers } = this.regions(name, view, wanted);
    const body = new FunctionPrinter(view, this.context("", view), 8);
    const args = graph.inputs.map((port) => body.input(port.value, port.name));
    const total = this.penalised ? "penalties" : null;
    const calls = graph.nodes.some((node) => node.op === "call");
    if (total !== null && calls) body.line(`${total} = torch.zeros((), device=${args[0]!}.device)`);
    const notes = notedIn(view, region);
    body.run(region, [...wanted, ...notes.map(({ value }) => value)]);
    printNotes(body, notes, this.helpers);
    for (const { path, value } of updates) {
      this.helpers.add("after_step");
      body.line(`after_step(${body.member(path)}, ${body.result(value)})`);
    }
    const own = penalties.map((id) => body.result(id));
    const sum = [...(calls ? ["penalties"] : []), ...own].join(" + ");
    const zero = `torch.zeros((), device=${args[0]!}.device)`;
    const result = body.result(output);
    body.line(total === null ? `return ${result}` : `return ${result}, ${sum === "" ? zero : sum}`);
    const returns = total === null ? "Tensor" : "tuple[Tensor, Tensor]";
    const note = total === null ? [] : ["Gives its result and the sum of its routers' penalties."];
    const doc = [
      `The block ${name}: [B, T, D] in and out, documents cut where positions are 0.`,
      ...note,
    ];
    const lines = [
      ...this.init(view, region, layers),
      "",
      ...signature("forward", args, returns, this.cached),
      ...sizes(body.lines, args, this.letters),
      ...body.lines,
    ];
    return this.define(name, doc, lines);
  }

  private main(graph: Graph): string {
    const view = new GraphView(graph, leafModules(graph));
    const port = (name: string): ValueId => graph.outputs.find((one) => one.name === name)!.value;
    const [prediction, loss] = [port("prediction"), port("loss")];
    const penalties = ownPenalties(graph);
    const updates = ownUpdates(graph);
    const total = this.penalised || penalties.length > 0 ? "penalties" : null;
    const all = regionsFor(this, [prediction, loss, ...penalties, ...updates.map((u) => u.value)]);
    const forward = this.mainFunction(view, {
      name: "forward",
      doc: this.cached
        ? "The logits of every token's successor; with a cache, of tokens that go on where it ends."
        : "The forecast of every window.",
      cached: this.cached,
      measures: false,
      inputs: graph.inputs.map(({ name }) => name).filter((name) => !labels.has(name)),
      wanted: [prediction],
      total: this.penalised ? "_" : null,
      result: (text) => text(prediction),
      returns: "Tensor",
      updates: [],
    });
    const training = this.mainFunction(view, {
      name: "losses",
      doc: `The mean loss of the weighted ${this.cached ? "tokens" : "windows"}, and the objective: that and the routers' penalties.`,
      cached: false,
      measures: true,
      inputs: [...labels, ...graph.inputs.map(({ name }) => name)],
      wanted: [loss, ...penalties],
      total,
      result: (text) => {
        const sum = [text(loss), ...(total === null ? [] : [total]), ...penalties.map(text)];
        return `${text(loss)}, ${sum.join(" + ")}`;
      },
      returns: "tuple[Tensor, Tensor]",
      updates,
    });
    const doc = [this.model.doc ?? `The model ${this.model.name}.`];
    return this.define(this.model.name, doc, [...all, "", ...forward, "", ...training]);

    function regionsFor(writer: ClassWriter, wanted: readonly ValueId[]): string[] {
      const { region, layers } = writer.regions(graph.name, view, wanted);
      return writer.init(view, region, layers);
    }
  }

  private mainFunction(
    view: GraphView,
    what: {
      readonly name: string;
      readonly doc: string;
      readonly inputs: readonly string[];
      readonly wanted: readonly ValueId[];
      readonly total: string | null;
      readonly result: (text: (id: ValueId) => string) => string;
      readonly returns: string;
      readonly updates: Graph["updates"];
      readonly cached: boolean;
      readonly measures: boolean;
    },
  ): string[] {
    const wanted = [...what.wanted, ...what.updates.map(({ value }) => value)];
    const { region } = this.regions(view.graph.name, view, wanted, what.measures);
    const body = new FunctionPrinter(view, this.context("", view, what.total, what.cached), 8);
    const order = view.graph.inputs.map(({ name }) => name);
    const rank = (name: string): number =>
      name === "positions" ? 3 : name === "weights" ? 2 : labels.has(name) ? 1 : 0;
    const names = order
      .filter((name) => what.inputs.includes(name))
      .sort((a, b) => rank(a) - rank(b));
    const ports = names.flatMap(
      (name) => view.graph.inputs.find((input) => input.name === name) ?? [],
    );
    const args = ports.map((one) => body.input(one.value, one.name));
    const first = args[0] ?? "self";
    if (what.total === "penalties")
      body.line(`${what.total} = torch.zeros((), device=${first}.device)`);
    const notes = what.measures ? notedIn(view, region) : [];
    body.run(region, [...wanted, ...wanted, ...notes.map(({ value }) => value)]); // results are named: some are used twice
    printNotes(body, notes, this.helpers);
    for (const { path, value } of what.updates) {
      this.helpers.add("after_step");
      body.line(`after_step(${body.member(path)}, ${body.result(value)})`);
    }
    body.line(`return ${what.result((id) => body.result(id))}`);
    return [
      ...signature(what.name, args, what.returns, what.cached),
      `        """${what.doc}"""`,
      ...(what.cached ? ["        if cache is not None:", "            cache.rewind()"] : []),
      ...sizes(body.lines, args, this.letters),
      ...body.lines,
    ];
  }

  /** `measures`: with the steps that only the loads of routes need. */
  regions(name: string, view: GraphView, wanted: readonly ValueId[], measures = true) {
    const token = this.model.module.functions.get(name)!;
    const parts = this.model.parts.get(name) ?? [];
    const layers = layersOf(token, parts, new Set(view.leaves.keys()));
    const measured = measures ? ownMetrics(view.graph).map(({ value }) => value) : [];
    const steps = stepsOf(view, [...wanted, ...measured]);
    return { region: regionOf(view, token, layers, steps, wanted), layers };
  }

  /** The classes of inner regions, and the constructor of what holds them. */
  init(view: GraphView, region: Region, layers: readonly Layer[]): string[] {
    const inner = new Map<string, string>();
    for (const item of region.items)
      if (item.kind === "region")
        inner.set(item.region.path, `${this.layer(view, item.region, layers)}()`);
    for (const node of view.graph.nodes)
      if (node.op === "call" && region.path === "")
        inner.set(node.attributes.prefix, `${this.blocks.get(node.attributes.callee)!}()`);
    const { graph, leaves } = view;
    const members = membersOf(graph, leaves, region.path, inner, this.letters, this.helpers);
    return [
      "    def __init__(self) -> None:",
      "        super().__init__()",
      ...memberLines(members, this.helpers).flatMap((line) => statement(line, 8)),
    ];
  }

  private layer(view: GraphView, region: Region, layers: readonly Layer[]): string {
    const { application, path } = region.layer!;
    const init = this.init(view, region, layers);
    const body = new FunctionPrinter(view, this.context(path, view), 8);
    const { graph } = view;
    const names = inputNames(view, region);
    const args = region.inputs.map((id, i) => body.input(id, names[i]!));
    const rows = routedInOneRow(view, region);
    const head: string[] = [];
    if (rows) {
      this.helpers.add("one_row");
      const [x] = args as [string];
      head.push(`        rows = ${x}.shape[:2]`);
      head.push(
        ...rows.map((id) => {
          const name = body.text(id).text;
          return `        ${name} = one_row(${name})`;
        }),
      );
    }
    const notes = notedIn(view, region);
    body.run(region, [...region.outputs, ...notes.map(({ value }) => value)]);
    printNotes(body, notes, this.helpers);
    const results = region.outputs.map((id) => {
      const varies = rows && graph.values[id]!.type.axes[0]?.name === "batch";
      if (!varies) return body.result(id);
      return `${within(body.text(id), tightness.atom)}.unflatten(1, rows).squeeze(0)`;
    });
    body.line(`return ${results.join(", ")}`);
    const returns =
      results.length === 1 ? "Tensor" : `tuple[${results.map(() => "Tensor").join(", ")}]`;
    const doc = (application.layer.doc ?? `The layer ${application.layer.name.name}.`).split("\n");
    const name = pascal(application.layer.name.name);
    const lines = [
      ...init,
      "",
      ...signature("forward", args, returns, this.cached && looksBack(region)),
      ...head,
      ...sizes(body.lines, args, this.letters),
      ...body.lines,
    ];
    return this.define(name, doc, lines);
  }

  private context(
    path: string,
    view: GraphView,
    total: string | null = this.penalised ? "penalties" : null,
    cached = this.cached,
  ) {
    const chains = chainsOf(view);
    return {
      letters: this.letters,
      helpers: this.helpers,
      path,
      cached,
      call: (printer: FunctionPrinter, node: Parameters<typeof printCall>[1]) => {
        printCall(printer, node, chains, total, cached);
      },
    };
  }

  /** The name of a class that does this; equal ones are one. */
  private define(wanted: string, doc: readonly string[], lines: readonly string[]): string {
    const key = `${wanted}\n${lines.join("\n")}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    let name = wanted;
    for (let count = 2; this.taken.has(name); count += 1) name = `${wanted}${count}`;
    this.taken.add(name);
    this.known.set(key, name);
    this.texts.push([`class ${name}(nn.Module):`, ...docstring(doc), "", ...lines].join("\n"));
    return name;
  }
}
