/**
 * Which part of a function its arithmetic belongs to: what each layer that was applied in it costs, by the path of its
 * parameters. A kernel counts for the value it makes, with what was fused into it.
 */

import type { Model } from "./1-check/model.js";
import type { Part } from "./1-check/trace.js";
import { costsByOrigin, programCosts } from "./5-schedule/costs.js";
import type { Graph, ValueId } from "./ir/graph.js";
import type { Program } from "./ir/program.js";

/** FLOPs of one run of a function, by the names on the way to a part: `["mixer", "q"]`. */
export interface PartCost {
  readonly names: readonly string[];
  readonly flops: number;
}

export function partCosts(
  { module, parts }: Model,
  program: Program,
): ReadonlyMap<string, readonly PartCost[]> {
  const whole = programCosts(program);
  return new Map(
    [...program.functions].map(([name, fn]) => {
      const graph = module.functions.get(name)!;
      const names = namesOfValues(graph, parts.get(name) ?? []);
      const own = [...costsByOrigin(fn)].map(([origin, flops]): PartCost => ({
        names: (origin === null ? undefined : names.get(origin)) ?? [],
        flops,
      }));
      const called = fn.steps.flatMap((step): PartCost[] =>
        step.kind === "call" && name !== program.main
          ? [{ names: step.prefix.split("."), flops: whole.get(step.callee)!.flops }]
          : [],
      );
      return [name, [...own, ...called]];
    }),
  );
}

/** The innermost layer that made each value, by its path; layers without parameters count to the one around them. */
function namesOfValues(graph: Graph, parts: readonly Part[]): Map<ValueId, readonly string[]> {
  const found = new Map<ValueId, readonly string[]>();
  const visit = (part: Part, around: readonly string[]): void => {
    const { nodes, parameters } = part;
    const owners = graph.parameters
      .slice(parameters.from, parameters.to)
      .map(({ path }) => path.split(".").slice(0, -1));
    const own = part.kind === "application" && owners.length > 0 ? common(owners) : around;
    for (const { outputs } of graph.nodes.slice(nodes.from, nodes.to))
      for (const id of outputs) found.set(id, own);
    for (const inner of part.kind === "application" ? part.steps : part.parts) visit(inner, own);
  };
  for (const part of parts) visit(part, []);
  return found;
}

/** What all paths begin with. */
function common(paths: readonly (readonly string[])[]): readonly string[] {
  const [first, ...others] = paths;
  const end = first!.findIndex((name, i) => others.some((path) => path[i] !== name));
  return end < 0 ? first! : first!.slice(0, end);
}
