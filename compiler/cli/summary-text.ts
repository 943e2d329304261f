/** A model's summary as a table: equal blocks share their rows, whose figures are of one of them. */

import type { BlockSummary, ModelSummary } from "../summary.js";
import { table } from "./table.js";

interface Group {
  readonly block: BlockSummary;
  readonly paths: readonly string[];
}

export function summaryText(summary: ModelSummary): string {
  const { model, tokens, blocks, recurrences } = summary;
  const rows: string[][] = [["", "parameters", "activated", "state bytes", "FLOPs/token"]];
  for (const { block, paths } of groups(blocks)) {
    const { layer, parts } = block;
    rows.push([layer === null ? "outside the blocks" : title(layer, paths), ...figures(block)]);
    for (const { name, parameters, activated } of parts)
      rows.push([`  ${name}`, count(parameters), count(activated)]);
  }
  rows.push(["all", ...figures(summary)]);
  const forms = recurrences.map(({ function: block, state, family, form, reason }) => {
    const why = reason === null ? "" : ` (${reason})`;
    return `recurrence ${state} in ${block}: family ${family}, ${form}${why}\n`;
  });
  const head = `${model}, for sequences of ${count(tokens)} tokens\n\n`;
  return [head, table(rows), ...(forms.length > 0 ? ["\n", ...forms] : [])].join("");
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

const figures = ({
  parameters,
  activated,
  stateBytes,
  flopsPerToken,
}: Omit<BlockSummary, "path" | "layer" | "parts">): string[] => [
  count(parameters),
  count(activated),
  count(stateBytes),
  count(Math.round(flopsPerToken)),
];

const count = (value: number): string => value.toLocaleString("en-US");
