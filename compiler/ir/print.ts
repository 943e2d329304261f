/** Graphs as text: what `lsm trace` prints, what goldens hold, and what equality of blocks is decided by. */

import type { Graph, Node } from "./graph.js";
import { showType } from "./types.js";

/** Plain data as JSON, in which numbers that JSON lacks are told apart too. */
export function printData(data: unknown): string {
  const text = JSON.stringify(data);
  // most data has no such number, and need not be looked through
  if (!text.includes("null") && !text.includes(":0")) return text;
  return JSON.stringify(data, (_, value: unknown) =>
    typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))
      ? `${Object.is(value, -0) ? "-" : ""}${value}`
      : value,
  );
}

function printAttributes(node: Node, indent: string): string {
  if (node.op === "scan") {
    const { body, ...rest } = node.attributes;
    return ` ${printData(rest)} {\n${printGraph(body, `${indent}  `)}${indent}}`;
  }
  const text = printData(node.attributes);
  return text === "{}" ? "" : ` ${text}`;
}

export function printGraph(graph: Graph, indent = ""): string {
  const lines: string[] = [];
  const typed = (id: number): string => `%${id}: ${showType(graph.values[id]!.type)}`;
  for (const { name, value } of graph.inputs) lines.push(`input ${name} = ${typed(value)}`);
  for (const { path, value, initializer, trainable, decay, region } of graph.parameters) {
    const flags = `${trainable ? "" : " fixed"}${decay ? " decay" : ""}${region === null ? "" : ` region ${region}`}`;
    lines.push(`parameter ${path} = ${typed(value)}${flags} ${printData(initializer)}`);
  }
  for (const { name, axes, initial } of graph.states)
    lines.push(`state ${name}: ${showType({ dtype: "float", axes })} = ${initial}`);
  for (const node of graph.nodes) {
    const region = node.region === null ? "" : ` @${node.region}`;
    const inputs = node.inputs.map((id) => `%${id}`).join(", ");
    lines.push(
      `${node.outputs.map(typed).join(", ")} = ${node.op}(${inputs})${region}${printAttributes(node, indent)}`,
    );
  }
  for (const { name, value } of graph.penalties) lines.push(`penalty ${name} = %${value}`);
  for (const { path, value } of graph.updates) lines.push(`update ${path} = %${value}`);
  for (const { name, value } of graph.metrics) lines.push(`metric ${name} = %${value}`);
  for (const { name, value } of graph.outputs) lines.push(`output ${name} = %${value}`);
  return lines.map((line) => `${indent}${line}\n`).join("");
}
