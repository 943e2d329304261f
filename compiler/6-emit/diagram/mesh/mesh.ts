/**
 * The mesh view: the devices with their nodes, what one of each kind holds and how full it is, what crosses which axis,
 * and which part of every parameter a device has. Text formats show the same as boxes.
 */

import { memoryParts } from "../../../5-schedule/device-memory.js";
import { groupSize, meshAxisNames } from "../../../4-place/mesh-shape.js";
import type { Box, Drawing, Edge, Flow, Line, Panel, Shape } from "../drawing.js";
import { bytes } from "../figures.js";
import { collectiveFigure, collectivesByAxes, groupText, timesText } from "./collective-table.js";
import { type MeshFigures, axesName, plural, stageGroups } from "./figures.js";
import { foldGrid, gridFigure } from "./grid.js";
import { fillText, groupTitle, holds, memoryFigure, partNames } from "./memory-bars.js";
import { axesOf, nameIn, overOf, shardFigure, shardGroups } from "./shard-table.js";

export type { MeshFigures };

export function mesh(figures: MeshFigures): Drawing {
  const { model, mesh: own, placement, memory } = figures;
  const title = `${model} on ${placement.shape.devices} × ${own.device}`;
  const facts = stepFacts(figures);
  const most = memory
    .map((each) => fillText(each, figures.capacity))
    .sort()
    .at(-1)!;
  const description = `How ${model} is shared out by the mesh ${own.name}: ${facts.join(", ")}. A device needs ${most}.`;
  return {
    title,
    facts,
    description,
    columns: true,
    panels: [
      meshPanel(figures, title, facts),
      memoryPanel(figures),
      collectivePanel(figures),
      shardPanel(figures),
    ],
  };
}

function stepFacts({ mesh: own, placement }: MeshFigures): string[] {
  const { shape, work, local, recompute, bubble } = placement;
  const axes = meshAxisNames.filter((axis) => shape.sizes[axis] > 1);
  const parts = work.parts === 1 ? "" : ` in ${work.parts} parts`;
  return [
    own.name,
    axes.length === 0
      ? "one device"
      : axes.map((axis) => `${axis} ${shape.sizes[axis]}`).join(" × "),
    plural(shape.nodes, "node"),
    `${work.batch * work.parts} × ${work.time} tokens a step${parts}, ${work.precision}`,
    `a device computes ${local.batch} × ${local.time} tokens at a time`,
    ...(recompute ? ["blocks are computed again in the backward pass"] : []),
    ...(bubble > 0 ? [`pipeline bubble ${Math.round(100 * bubble)} %`] : []),
  ];
}

function meshPanel(
  { placement: { shape } }: MeshFigures,
  title: string,
  facts: readonly string[],
): Panel {
  const { folded } = foldGrid(shape);
  const stands = `a square stands for ${groupSize(shape, folded)} devices along ${axesName(folded)}`;
  const lines: Line[] = meshAxisNames
    .filter((axis) => shape.sizes[axis] > 1)
    .map((axis) => ({ text: `${axis} ${shape.sizes[axis]}`, style: "text" }));
  const text = [{ text: plural(shape.devices, "device"), style: "title" as const }, ...lines];
  return {
    title,
    facts: folded.length === 0 ? facts : [...facts, stands],
    flow: { boxes: [box("mesh", "repeat", text)], edges: [] },
    figure: gridFigure(shape),
  };
}

function memoryPanel(figures: MeshFigures): Panel {
  const groups = stageGroups(figures);
  const all = figures.placement.stages.length;
  const boxes = groups.map((group, i) =>
    box(`stage${i}`, "block", [
      { text: groupTitle(group, all), style: "title" },
      { text: holds(group, all), style: "text" },
      { text: fillText(group.memory, figures.capacity), style: "text" },
      ...memoryParts.map((part): Line => ({
        text: `${partNames[part]} ${bytes(group.memory[part])}`,
        style: "faint",
      })),
    ]),
  );
  const edges = boxes.slice(1).map(({ id }, i): Edge => ({
    from: boxes[i]!.id,
    to: id,
    label: "activations",
    residual: false,
  }));
  return {
    title: "What a device holds",
    facts: [
      figures.capacity === null
        ? "how much memory it needs"
        : `beside the memory of one ${figures.mesh.device}, ${figures.capacity / 1e9} GB`,
    ],
    flow: { boxes, edges },
    figure: memoryFigure(figures),
  };
}

function collectivePanel({ placement }: MeshFigures): Panel {
  const boxes = collectivesByAxes(placement).map((group, i) =>
    box(`axes${i}`, "route", [
      { text: axesName(group.axes), style: "title" },
      { text: groupText(group), style: "text" },
      ...group.rows.map((row): Line => ({
        text: `${row.kind} of ${[row.block, row.what].filter(Boolean).join(" ")}, ${row.passes.join(", ")}: ${bytes(row.bytes)}, ${timesText(row)}`,
        style: "faint",
      })),
    ]),
  );
  return {
    title: "What crosses the mesh",
    facts: ["in one training step, by the axes that it crosses; bytes of one device"],
    flow: flowOf(boxes),
    figure: collectiveFigure(placement),
  };
}

function shardPanel({ placement }: MeshFigures): Panel {
  const boxes = shardGroups(placement).map(({ title, parameters, block }, i) =>
    box(`shards${i}`, "layer", [
      { text: title, style: "title" },
      ...parameters.map((each): Line => ({
        text: `${nameIn(each, block)}: ${axesOf(each)}; ${overOf(each)}; ${bytes(4 * each.held)}`,
        style: "faint",
      })),
    ]),
  );
  return {
    title: "Which part of every parameter a device has",
    facts: ["in float32, as it is kept; the last of uneven shares is smaller"],
    flow: flowOf(boxes),
    figure: shardFigure(placement),
  };
}

const flowOf = (boxes: readonly Box[]): Flow => ({ boxes, edges: [] });

const box = (id: string, shape: Shape, lines: readonly Line[]): Box => ({
  id,
  shape,
  lines,
  inside: null,
  span: null,
  note: "",
});
