/** `lsm trace --after normal-form`: each step as the equation that its forms are made of. */

import type { NormalStep, Operand } from "../3-derive/forms/described.js";
import { type RecurrenceReport, reportText } from "../3-derive/forms/report.js";
import { showAxes } from "../ir/types.js";

export function normalFormText(recurrences: readonly RecurrenceReport[]): string {
  if (recurrences.length === 0) return "no state is stepped\n";
  return recurrences.map(recurrenceText).join("\n");
}

function recurrenceText(report: RecurrenceReport): string {
  const { function: name, state, step } = report;
  const axes = step === null ? "" : `: ${showAxes(step.axes)}`;
  const lines = [`${name}, state ${state}${axes}`, ...(step === null ? [] : stepLines(step))];
  return [...lines, `  ${reportText(report)}`].map((line) => `${line}\n`).join("");
}

function stepLines({ equations, operands, absent }: NormalStep): string[] {
  const rows = operands.map(({ symbol, axes, ofToken, written }: Operand) => [
    symbol,
    showAxes(axes),
    ofToken ? "of each token" : "the same for all",
    written,
  ]);
  return [
    ...equations.map((text) => `  ${text}`),
    ...aligned(rows).map((line) => `    ${line}`),
    ...(absent.length === 0 ? [] : [`    absent: ${absent.join(", ")}`]),
  ];
}

/** Rows of cells as lines, each column as wide as its widest cell. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]!.length)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join("  ")
      .trimEnd(),
  );
}
