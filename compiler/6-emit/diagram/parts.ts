/** Questions about the layers that a step applies. */

import type { CallExpression, Expression, LayerDeclaration } from "../../../grammar/ast.js";
import type { Application, Part, Step } from "../../1-check/trace.js";
import type { Graph } from "../../ir/graph.js";
import { isInput } from "../../1-check/elaborate/apply.js";

/** A layer made of this many maps of its own is worth a look inside. */
const mapsToShow = 3;

const shown: ReadonlySet<string> = new Set(["state", "mix", "attend", "top_k", "call"]);

/** The layers that a statement itself applies. */
export const applicationsIn = ({ parts }: Step): readonly Application[] =>
  parts.filter((part): part is Application => part.kind === "application");

export function hasInside({ nodes, steps }: Application, graph: Graph): boolean {
  const parts = graph.nodes.slice(nodes.from, nodes.to);
  return parts.some(({ op }) => shown.has(op)) || parametricSteps(steps) >= mapsToShow;
}

/** How many statements have parameters of their own. */
export const parametricSteps = (parts: readonly Part[]): number =>
  parts.filter(({ kind, parameters }) => kind === "step" && parameters.to > parameters.from).length;

/** Which argument of a call a layer's parameters get, by name or in order of the inputs. */
export function argumentOf(
  { parameters }: LayerDeclaration,
  call: CallExpression,
): { readonly parameter: string; readonly argument: Expression }[] {
  const open = [
    ...parameters.filter(isInput),
    ...parameters.filter((parameter) => !isInput(parameter)),
  ].map(({ name }) => name.name);
  const byName = call.arguments.flatMap(({ name, value }) =>
    name ? [{ parameter: name.name, argument: value }] : [],
  );
  const free = open.filter((name) => !byName.some(({ parameter }) => parameter === name));
  const inOrder = call.arguments
    .filter(({ name }) => name === null)
    .flatMap(({ value }, i) => (free[i] ? [{ parameter: free[i], argument: value }] : []));
  return [...byName, ...inOrder];
}
