/** The architecture view: the model as a column with its repeats folded, and a panel for each kind of block. */

import type { Model } from "../../1-check/model.js";
import type { Application, Part } from "../../1-check/trace.js";
import { type RecurrenceReport, reportText } from "../../3-derive/forms/report.js";
import type { Graph, NodeOf } from "../../ir/graph.js";
import { axesText } from "./axes-text.js";
import type { Box, Drawing, Flow, Line, Panel } from "./drawing.js";
import { bytes, count, parameterText } from "./figures.js";
import { FlowBuilder } from "./flow-builder.js";
import { BodyReader, type Reading } from "./read-body.js";
import { type Folded, fold } from "./repeats.js";
import { type Sources, textOf } from "./source-text.js";
import { wrap } from "./text-width.js";

/** What a picture says of a part of the model in numbers. */
export interface Figures {
  readonly parameters: number;
  readonly activated: number;
  readonly flopsPerToken: number;
  readonly stateBytes: number;
}

/** The numbers of the whole and of every block, by its path: `summarise` in compiler/summary.ts gives them. */
export interface ModelFigures extends Figures {
  readonly tokens: number;
  readonly blocks: readonly (Figures & { readonly path: string })[];
  readonly recurrences: readonly RecurrenceReport[];
}

interface Block {
  readonly letter: string;
  readonly written: string;
  readonly flow: Flow;
  readonly figures: Figures;
  readonly span: Application["written"];
}

export function architecture(model: Model, figures: ModelFigures, sources: Sources): Drawing {
  const main = model.module.functions.get(model.module.main)!;
  const calls = main.nodes.filter((node): node is NodeOf<"call"> => node.op === "call");
  const kinds = new Map<string, Block>(); // by what their pictures show
  const keys = calls.map(({ attributes: { callee, prefix } }) => {
    const flow = blockFlow(model, callee, figures, sources);
    const own = figures.blocks.find(({ path }) => path === prefix)!;
    // blocks that differ in constants of their depth are one kind, with the costs of the dearest
    const key = JSON.stringify([flow, own.parameters, own.activated, own.stateBytes]);
    const known = kinds.get(key);
    if (!known) {
      const { written } = rootOf(model.parts.get(callee)!)!;
      const text = textOf(sources, written);
      kinds.set(key, { letter: callee, written: text, flow, figures: own, span: written });
    } else if (own.flopsPerToken > known.figures.flopsPerToken)
      kinds.set(key, { ...known, figures: own });
    return key;
  });
  const stack = (flow: FlowBuilder): Omit<Box, "id"> =>
    repeatBox(fold(keys), 1, calls.length, (at) => kinds.get(keys[at]!)!, flow);
  const builder = new FlowBuilder("m");
  const reading: Reading = { graph: main, sources, forms: formsOf("main", figures), stack };
  const reader = new BodyReader(reading, builder);
  const result = reader.read(bodyOf(model.parts.get(model.module.main)!));
  const whole = factsOf(figures);
  const panels: Panel[] = [
    { title: model.name, facts: whole, flow: builder.finish(result) },
    ...[...kinds.values()].map((block) => ({
      title: titleOf(block),
      facts: factsOf(block.figures),
      flow: block.flow,
    })),
  ];
  const doc = model.doc === null ? "" : `${model.doc.replace(/\s+/g, " ").trim()} `;
  return {
    title: model.name,
    facts: whole,
    description: `${doc}${calls.length} blocks. ${whole.join(", ")}; sequences of ${figures.tokens.toLocaleString("en-US")} tokens.`,
    panels,
  };
}

/** A block that has no name of its own is called by its layer. */
const titleOf = ({ letter, written }: Block): string =>
  written.startsWith(`${letter}(`) || written === letter ? written : `${letter} = ${written}`;

const factsOf = ({ parameters, activated, flopsPerToken, stateBytes }: Figures): string[] => [
  parameterText(parameters, activated),
  `${count(flopsPerToken)} FLOPs a token`,
  ...(stateBytes > 0 ? [`${bytes(stateBytes)} of state`] : []),
];

/** Family and form of a function's states; those that step together are reported together. */
function formsOf(name: string, { recurrences }: ModelFigures): ReadonlyMap<string, string> {
  return new Map(
    recurrences
      .filter((report) => report.function === name)
      .flatMap((report) =>
        report.state.split(", ").map((one) => [one, reportText(report)] as const),
      ),
  );
}

const rootOf = (parts: readonly Part[]): Application | undefined =>
  parts.find((part): part is Application => part.kind === "application");

/** A model whose body only applies one layer, such as `language_model`, shows that layer's own statements. */
function bodyOf(parts: readonly Part[]): readonly Part[] {
  const steps = parts.filter((part) => part.kind === "step" && part.nodes.to > part.nodes.from);
  const [only, ...others] = steps;
  if (only?.kind !== "step" || others.length > 0 || only.statement.kind !== "expression")
    return parts;
  return rootOf(only.parts)?.steps ?? parts;
}

function blockFlow(model: Model, callee: string, figures: ModelFigures, sources: Sources): Flow {
  const graph: Graph = model.module.functions.get(callee)!;
  const root = rootOf(model.parts.get(callee)!)!;
  const flow = new FlowBuilder("b");
  const forms = formsOf(callee, figures);
  const reader = new BodyReader({ graph, sources, forms, stack: null }, flow);
  const input = graph.inputs[0]!;
  const name = root.layer.parameters[0]?.name.name ?? input.name;
  const lines: Line[] = [{ text: name, style: "code" }];
  const port = { shape: "port" as const, lines, inside: null, span: null, note: "" };
  reader.name(name, flow.add(port, axesText(graph.values[input.value]!.type.axes)));
  return flow.finish(reader.read(root.steps));
}

/** A part of the stack: its blocks as cards from top to bottom, repeats around their units. */
function repeatBox(
  sequence: readonly Folded[],
  times: number,
  blocks: number,
  blockAt: (at: number) => Block,
  flow: FlowBuilder,
): Omit<Box, "id"> {
  const [only] = sequence;
  const alone = sequence.length === 1 && only !== undefined;
  if (alone && typeof only !== "number" && times === 1)
    return repeatBox(only.unit, only.times, blocks, blockAt, flow);
  if (alone && typeof only === "number") return card(blockAt(only), times);
  const inner = flow.inner();
  let last: string | null = null;
  for (const item of sequence) {
    const box =
      typeof item === "number"
        ? card(blockAt(item), 1)
        : repeatBox(item.unit, item.times, 0, blockAt, inner);
    const id = inner.add(box, "");
    if (last !== null) inner.connect(last, id);
    last = id;
  }
  const text = times > 1 ? `× ${times}` : "";
  const beside = blocks > 0 ? { beside: `${blocks} blocks` } : {};
  const title = { text, style: "title", ...beside } as const;
  return { shape: "repeat", lines: [title], inside: inner.finish(last), span: null, note: "" };
}

function card(block: Block, times: number): Omit<Box, "id"> {
  const { letter, written, figures, span } = block;
  const repeats = times > 1 ? { beside: `× ${times}` } : {};
  const lines: Line[] = [
    { text: letter, style: "title", ...repeats },
    ...wrap(written === letter ? "" : written, "text", 190).map((text): Line => ({
      text: text.trim(),
      style: "text",
    })),
    ...factsOf(figures).map((text): Line => ({ text, style: "faint" })),
  ];
  return { shape: "block", lines, inside: null, span, note: titleOf(block) };
}
