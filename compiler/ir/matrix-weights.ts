/**
 * Which parameters are matrices of products with tokens, and nothing else: those that Muon trains. Decided by
 * how a lowered module uses them, in every function that has them.
 *
 * Embeddings are looked up, norms, gates and convolutions multiply element by element, and the products that make the
 * prediction are the model's head: AdamW trains all of these, as Jordan et al. (2024) advise.
 */

import { type Graph, type Node, type ValueId, allResults } from "./graph.js";
import { type MatrixAxes, sizeOf } from "./muon.js";
import { hasAxis } from "./types.js";

type Functions = ReadonlyMap<string, Graph>;

/** Of each function the parameters, by their paths within it; those that are missing are no such matrices. */
export function matrixWeights(
  functions: Functions,
  main: string,
): ReadonlyMap<string, ReadonlyMap<string, MatrixAxes>> {
  const heads = headWeights(functions, main);
  return new Map(
    [...functions].map(([name, graph]) => {
      const found = new Map<string, MatrixAxes>();
      for (const { path, value } of graph.parameters) {
        const matrix = heads.get(name)?.has(value) ? null : matrixOf(graph, value);
        if (matrix) found.set(path, matrix);
      }
      return [name, found] as const;
    }),
  );
}

/** Whether two functions that share a parameter see the same matrices in it. */
export function sameMatrix(a: MatrixAxes | null, b: MatrixAxes | null): boolean {
  if (!a || !b) return a === b;
  const key = ({ batch, rows, columns }: MatrixAxes): string =>
    JSON.stringify([[...batch].sort(), [[...rows].sort(), [...columns].sort()].sort()]);
  return key(a) === key(b);
}

function matrixOf(graph: Graph, parameter: ValueId): MatrixAxes | null {
  const { axes } = graph.values[parameter]!.type;
  const own = new Map(axes.map(({ name }) => [name, name]));
  const uses = usesOf(graph, parameter, own);
  const [first] = uses;
  if (!first || uses.some((use) => !sameMatrix(use, first))) return null;
  return Math.min(sizeOf(axes, first.rows), sizeOf(axes, first.columns)) > 1 ? first : null;
}

/** What every use makes of a parameter, null for one that is no product; `own`: the parameter's names of the value's axes. */
function usesOf(
  graph: Graph,
  id: ValueId,
  own: ReadonlyMap<string, string>,
): readonly (MatrixAxes | null)[] {
  const results = allResults(graph).some(({ value }) => value === id) ? [null] : [];
  return [
    ...results,
    ...graph.nodes.flatMap((node) =>
      node.inputs.flatMap((input, at) => (input === id ? useOf(graph, node, at, own) : [])),
    ),
  ];
}

function useOf(
  graph: Graph,
  node: Node,
  at: number,
  own: ReadonlyMap<string, string>,
): readonly (MatrixAxes | null)[] {
  switch (node.op) {
    case "dot":
      return [product(graph, node.inputs[1 - at]!, node.attributes.over, [], own)];
    case "grouped_dot": {
      const { over, group } = node.attributes;
      return [at === 1 ? product(graph, node.inputs[0]!, over, [group], own) : null];
    }
    case "rename": {
      const { names } = node.attributes;
      const renamed = [...own].map(([here, name]) => [names[here] ?? here, name] as const);
      return usesOf(graph, node.outputs[0]!, new Map(renamed));
    }
    case "scan": {
      const { body, states, sequences, resets } = node.attributes;
      const flag = resets ? 1 : 0; // which the body does not see
      const inside = at < states + flag + sequences ? null : body.inputs[at - flag];
      return inside ? usesOf(body, inside.value, own) : [null];
    }
    default:
      return [null];
  }
}

/** A weight's axes in its product with a value of tokens: summed over, kept by both, or the result's alone. */
function product(
  graph: Graph,
  other: ValueId,
  over: readonly string[],
  group: readonly string[],
  own: ReadonlyMap<string, string>,
): MatrixAxes | null {
  const { type } = graph.values[other]!;
  if (!hasAxis(type, "batch")) return null;
  const rows = over.map((name) => own.get(name)!);
  const batch = [...own].flatMap(([here, name]) =>
    !over.includes(here) && (group.includes(here) || hasAxis(type, here)) ? [name] : [],
  );
  const columns = [...own.values()].filter((name) => ![...rows, ...batch].includes(name));
  return { batch, rows, columns };
}

/** The parameters, by function, whose products are the prediction, but for elementwise functions behind them. */
function headWeights(functions: Functions, main: string): Map<string, Set<ValueId>> {
  const found = new Map<string, Set<ValueId>>();
  const seen = new Set<string>();
  const walk = (name: string, id: ValueId): void => {
    if (seen.has(`${id} ${name}`)) return;
    seen.add(`${id} ${name}`);
    const graph = functions.get(name)!;
    const node = graph.nodes.find(({ outputs }) => outputs.includes(id));
    if (!node) {
      found.set(name, (found.get(name) ?? new Set()).add(id));
      return;
    }
    if (node.op === "dot") for (const input of node.inputs) weight(name, input);
    else if (node.op === "call") {
      const { callee } = node.attributes;
      walk(callee, allResults(functions.get(callee)!)[node.outputs.indexOf(id)]!.value);
    } else if (through.has(node.op)) for (const input of node.inputs) walk(name, input);
  };
  /** A factor of the head: the parameter itself, perhaps renamed. */
  const weight = (name: string, id: ValueId): void => {
    const node = functions.get(name)!.nodes.find(({ outputs }) => outputs.includes(id));
    if (!node) walk(name, id);
    else if (node.op === "rename") weight(name, node.inputs[0]!);
  };
  for (const { name, value } of functions.get(main)!.outputs)
    if (name === "prediction") walk(main, value);
  return found;
}

const through: ReadonlySet<Node["op"]> = new Set([
  ...(["map", "reduce", "expand", "rename", "split", "merge", "slice", "pad"] as const),
  "concat",
]);
