/** A model's summary as a table: equal blocks share their rows, whose figures are of one of them. */

import { reportText } from "../3-derive/forms/report.js";
import type { BlockSummary, ModelSummary, PartSummary } from "../summary.js";
import { table } from "./table.js";

type Figures = Pick<BlockSummary, "parameters" | "activated" | "stateBytes" | "flopsPerToken">;

interface Group {
  readonly block: BlockSummary;
  readonly paths: readonly string[];
}

/** `depth`: how many levels of parts are shown inside the blocks. */
export function summaryText(summary: ModelSummary, depth = 1): string {
  const { model, tokens, blocks, recurrences } = summary;
  const whole = summary.parameters;
  const rows: string[][] = [
    ["", "parameters", "share", "activated", "FLOPs/token", "state bytes"],
    [model, ...figures(summary, whole, 1)],
  ];
  const kinds = groups(blocks);
  kinds.forEach(({ block, paths }, i) => {
    const last = i === kinds.length - 1;
    const name = block.layer === null ? "outside the blocks" : title(block.layer, paths);
    rows.push([branch("", last) + name, ...figures(block, whole, paths.length)]);
    rows.push(...partRows(block.parts, depth, below("", last), whole, paths.length));
  });
  const forms = recurrences.map(
    (report) => `recurrence ${report.state} in ${report.function}: ${reportText(report)}\n`,
  );
  const head = `${model}, for sequences of ${count(tokens)} tokens\n\n`;
  return [head, table(rows), ...(forms.length > 0 ? ["\n", ...forms] : [])].join("");
}

const branch = (indent: string, last: boolean): string => `${indent}${last ? "└ " : "├ "}`;
const below = (indent: string, last: boolean): string => `${indent}${last ? "  " : "│ "}`;

function partRows(
  parts: readonly PartSummary[],
  depth: number,
  indent: string,
  whole: number,
  times: number,
): string[][] {
  if (depth === 0) return [];
  return parts.flatMap((part, i) => {
    const last = i === parts.length - 1;
    const { name, parameters, activated, flopsPerToken, stateBytes } = part;
    const row = [
      branch(indent, last) + name,
      count(parameters),
      share(parameters * times, whole),
      count(activated),
      flopsPerToken === 0 ? "" : count(Math.round(flopsPerToken)),
      stateBytes === 0 ? "" : count(stateBytes),
    ];
    return [row, ...partRows(part.parts, depth - 1, below(indent, last), whole, times)];
  });
}

/** Blocks of one recipe with the same figures, in order of the first of them. */
function groups(blocks: readonly BlockSummary[]): Group[] {
  const found = new Map<string, { block: BlockSummary; paths: string[] }>();
  for (const block of blocks) {
    const { path, ...rest } = block;
    const key = JSON.stringify(rest);
    const group = found.get(key);
    if (group) group.paths.push(path);
    else found.set(key, { block, paths: [path] });
  }
  return [...found.values()];
}

/** `3 × L (blocks.0, 1, 2)` */
function title(layer: string, paths: readonly string[]): string {
  const [first, ...others] = paths as [string, ...string[]];
  const stem = first.slice(0, first.lastIndexOf(".") + 1);
  const places = [first, ...others.map((path) => path.replace(stem, ""))];
  const shown = places.length > 8 ? [...places.slice(0, 7), "…"] : places;
  return `${paths.length === 1 ? "" : `${paths.length} × `}${layer} (${shown.join(", ")})`;
}

/** One block's figures, and the share of all of its kind in the model's parameters. */
const figures = (
  { parameters, activated, stateBytes, flopsPerToken }: Figures,
  whole: number,
  times: number,
): string[] => [
  count(parameters),
  share(parameters * times, whole),
  count(activated),
  count(Math.round(flopsPerToken)),
  count(stateBytes),
];

const count = (value: number): string => value.toLocaleString("en-US");

const share = (part: number, whole: number): string =>
  whole === 0 ? "" : `${((100 * part) / whole).toFixed(1)} %`;
