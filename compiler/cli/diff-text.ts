/** A comparison of two models as text. */

import { type Comparison, type Figures, figureNames } from "../compare.js";
import { table } from "./table.js";

const titles: Readonly<Record<keyof Figures, string>> = {
  parameters: "parameters",
  activated: "activated",
  flopsPerToken: "FLOPs/token",
  stateBytes: "state bytes",
};

export function diffText(comparison: Comparison, files: readonly [string, string]): string {
  const { before, after, tokens, figures, blocks, parameters, recurrences, equal } = comparison;
  const lengths = [...new Set(tokens)].map(count).join(" and ");
  const head = `${before} (${files[0]}) → ${after} (${files[1]}), for sequences of ${lengths} tokens\n\n`;
  if (equal) return `${head}No difference in parameters, FLOPs, states or shapes.\n`;
  const rows = figureNames.map((name) => [
    titles[name],
    ...cells(figures.before[name], figures.after[name]),
  ]);
  const sections = [
    table([["", "before", "after", "change"], ...rows]),
    section(
      "blocks",
      blocks.map(
        ({ path, ...change }) =>
          `${sign(change)} ${path || "outside the blocks"}: ${blockText(change)}`,
      ),
    ),
    section(
      "parameters",
      parameters.map(({ path, ...change }) => `${sign(change)} ${path} ${arrow(change)}`),
    ),
    section(
      "recurrences",
      recurrences.map(
        ({ function: block, state, ...change }) =>
          `${sign(change)} ${state} in ${block}: ${arrow(change)}`,
      ),
    ),
  ];
  return head + sections.filter((text) => text !== "").join("\n");
}

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? "" : `${title}\n${lines.map((line) => `  ${line}\n`).join("")}`;

interface Sides {
  readonly before: unknown;
  readonly after: unknown;
}

const sign = ({ before, after }: Sides): string =>
  before === null ? "+" : after === null ? "-" : "~";

const arrow = ({
  before,
  after,
}: {
  readonly before: string | null;
  readonly after: string | null;
}): string => [before, after].filter((side) => side !== null).join(" → ");

function blockText({
  before,
  after,
}: {
  readonly before: Figures | null;
  readonly after: Figures | null;
}): string {
  const told = figureNames.filter((name) => before?.[name] !== after?.[name]);
  return told
    .map((name) => {
      const sides = [before?.[name], after?.[name]].filter((side) => side !== undefined);
      return `${titles[name]} ${sides.map(count).join(" → ")}`;
    })
    .join(", ");
}

/** Before, after, and by how much it grew. */
function cells(before: number, after: number): string[] {
  const by = Math.round(after) - Math.round(before);
  const percent =
    before === 0 ? "" : ` (${by > 0 ? "+" : ""}${((100 * by) / before).toFixed(1)} %)`;
  return [
    count(before),
    count(after),
    by === 0 ? "" : `${by > 0 ? "+" : ""}${count(by)}${percent}`,
  ];
}

const count = (value: number): string => Math.round(value).toLocaleString("en-US");
