/** Linear layers of one x in one function: they are written, and on a GPU computed, as one product. */

import { sameAxes, withoutAxes } from "../../ir/types.js";
import type { Region } from "./regions.js";
import { type FusedStep, type GraphView, type Step, isFused } from "./steps.js";

export type LinearStep = Extract<FusedStep, { op: "linear" }>;

/** By its first layer, every group of two or more; the others stand where the first does, for all they need is x. */
export function sideBySide(
  view: GraphView,
  region: Region,
): ReadonlyMap<Step, readonly LinearStep[]> {
  const groups: LinearStep[][] = [];
  for (const item of region.items) {
    if (item.kind !== "step" || !isFused(item.step) || item.step.op !== "linear") continue;
    const { step } = item;
    if (!inOrder(view, step)) continue;
    const group = groups.find(([first]) => alike(view, first!, step));
    if (group) group.push(step);
    else groups.push([step]);
  }
  return new Map(
    groups.filter(({ length }) => length > 1).map((group) => [group[0]!, group] as const),
  );
}

function alike(view: GraphView, a: LinearStep, b: LinearStep): boolean {
  const repeated = a.attributes.path === b.attributes.path;
  return (
    !repeated &&
    view.same(a.inputs[0]!, b.inputs[0]!) &&
    sameAxes(a.attributes.inner, b.attributes.inner)
  );
}

/** Whether x ends in what is contracted, and the result in what the layer makes: nothing is turned on the way. */
function inOrder(view: GraphView, { attributes: { inner }, inputs, outputs }: LinearStep): boolean {
  const x = view.axes(inputs[0]!);
  const rest = withoutAxes(
    x,
    inner.map(({ name }) => name),
  );
  const y = view.axes(outputs[0]!);
  return sameAxes([...rest, ...inner], x) && sameAxes(rest, y.slice(0, rest.length));
}

/** What the results are called: as in the source, or by the layer, unless the source means another value by that name. */
export function namesOf(
  group: readonly LinearStep[],
  region: Region,
  label: (step: Step) => string | null,
): readonly string[] {
  const taken = new Set(
    region.items.map((item) => (item.kind === "step" ? label(item.step) : null)),
  );
  return group.map((step) => {
    const own = label(step);
    if (own !== null) return own;
    const parts = step.attributes.path.split(".");
    const name = (parts.at(-1) === "linear" ? parts.at(-2) : parts.at(-1)) ?? "y";
    return taken.has(name) ? `${name}_linear` : name;
  });
}
