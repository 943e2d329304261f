/** What one device of each kind holds, and a bar of its memory in parts, as long as the device's own. */

import { type DeviceMemory, memoryParts, totalMemory } from "../../../5-schedule/device-memory.js";
import type { Cell, Figure } from "../drawing.js";
import { bytes } from "../figures.js";
import { textWidth } from "../text-width.js";
import { cell } from "./cells.js";
import {
  type MeshFigures,
  type StageGroup,
  blocksText,
  numbersText,
  plural,
  stageGroups,
} from "./figures.js";

export const partNames: Readonly<Record<keyof DeviceMemory, string>> = {
  weights: "weights",
  gradients: "gradients",
  optimizer: "optimiser",
  gathered: "gathered weights",
  activations: "kept activations",
  working: "working memory",
  buffer: "largest message",
};

const barWidth = 770;
const barHeight = 26;
const legendStep = 17;

/** `stages 1–2`, and how many devices they have. */
export function groupTitle({ stages }: StageGroup, all: number): string {
  const devices = stages.reduce((sum, stage) => sum + stage.devices, 0);
  const each = plural(devices, "device");
  if (all === 1) return devices === 1 ? "the device" : `each of the ${each}`;
  return `${stages.length > 1 ? "stages" : "stage"} ${numbersText(stages.map(({ index }) => index))}: ${each}`;
}

/** `blocks.0–5, 16–21`; paths that do not end in a number are told by the first and the last. */
function pathsText(paths: readonly string[]): string {
  const stem = paths[0]!.replace(/\d+$/, "");
  const numbers = paths.map((path) => Number(path.slice(stem.length)));
  const counted = paths.every((path, i) => path === `${stem}${numbers[i]}`);
  return counted ? stem + numbersText(numbers) : `${paths[0]!} to ${paths.at(-1)!}`;
}

/** The blocks of a stage, and what it has besides them. */
export function holds({ stages }: StageGroup, all: number): string {
  const [first] = stages;
  const paths = first!.blocks.map(({ path }) => path);
  const blocks = blocksText(first!.blocks.map(({ block }) => block));
  const range = stages.length > 1 || paths.length === 0 ? "" : ` (${pathsText(paths)})`;
  const before = all > 1 && first!.index === 0 ? ["what comes before the blocks"] : [];
  const behind = all > 1 && first!.index === all - 1 ? ["what comes behind them"] : [];
  return [...before, ...(blocks === "" ? [] : [blocks + range]), ...behind].join(", ");
}

export const fillText = (memory: DeviceMemory, capacity: number | null): string => {
  const total = totalMemory(memory);
  if (capacity === null) return bytes(total);
  const share = Math.round((100 * total) / capacity);
  return `${bytes(total)} of ${bytes(capacity)}, ${share} %`;
};

export function memoryFigure(figures: MeshFigures): Figure {
  const { capacity, placement } = figures;
  const cells: Cell[] = [];
  let y = 0;
  const most = Math.max(...figures.memory.map(totalMemory), 1);
  const whole = Math.max(capacity ?? 0, most);
  stageGroups(figures).forEach((group, i) => {
    const { memory, stages } = group;
    const total = totalMemory(memory);
    const all = placement.stages.length;
    const fill = fillText(memory, capacity);
    const kept = stages[0]!.inFlight;
    const flight = kept === 1 ? "" : `, ${kept} parts of the batch in flight`;
    cells.push(
      cell(`memory.${i}`, "row", { x: 0, y, width: barWidth, height: 40 }, [
        { text: groupTitle(group, all), style: "title", x: 2, y: y + 13 },
        { text: fill, style: "faint", x: barWidth - 2 - textWidth(fill, "faint"), y: y + 13 },
        { text: holds(group, all) + flight, style: "faint", x: 2, y: y + 31 },
      ]),
    );
    y += 42;
    let x = 0;
    for (const part of memoryParts) {
      const width = (barWidth * memory[part]) / whole;
      if (width >= 0.5)
        cells.push(
          cell(
            `memory.${i}.${part}`,
            part,
            { x, y, width, height: barHeight },
            [],
            `${partNames[part]} ${bytes(memory[part])}`,
          ),
        );
      if (width >= 0.5) x += width;
    }
    if (capacity !== null && total <= capacity)
      cells.push(
        cell(
          `memory.${i}.free`,
          "free",
          { x, y, width: Math.max(barWidth - x, 0.5), height: barHeight },
          [],
          `free ${bytes(capacity - total)}`,
        ),
      );
    y += barHeight + 4;
    if (capacity !== null && total > capacity) {
      const text = `${bytes(total - capacity)} more than there is`;
      const at = (barWidth * capacity) / whole;
      cells.push(
        cell(`memory.${i}.over`, "over", { x: at, y, width: barWidth - at, height: 4 }, []),
      );
      cells.push(
        cell(`memory.${i}.much`, "row", { x: 0, y: y + 6, width: barWidth, height: 16 }, [
          { text, style: "text", x: barWidth - textWidth(text, "text"), y: y + 18 },
        ]),
      );
      y += 26;
    }
    y += 4;
    memoryParts.forEach((part, at) => {
      const each = barWidth / memoryParts.length;
      const left = at * each;
      const line = y;
      cells.push(
        cell(`memory.${i}.${part}.key`, part, { x: left, y: line + 3, width: 9, height: 9 }),
      );
      cells.push(
        cell(
          `memory.${i}.${part}.text`,
          "row",
          { x: left + 13, y: line, width: each - 15, height: 2 * legendStep - 2 },
          [
            { text: partNames[part], style: "faint", x: left + 15, y: line + 11.5 },
            { text: bytes(memory[part]), style: "text", x: left + 15, y: line + 26 },
          ],
        ),
      );
    });
    y += 2 * legendStep + 18;
  });
  return { width: barWidth + 2, height: y - 10, cells };
}
