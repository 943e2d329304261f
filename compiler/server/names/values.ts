/** What expressions came to, as text in the user's own terms. */

import type { CompileValue } from "../../1-check/values.js";
import type { Watch } from "../../1-check/watch.js";
import { showAxes, showType } from "../../ir/types.js";

/** `[heads 4, key width / 4]`; null where there is nothing to show. */
export function valueText(value: CompileValue, { builder }: Watch): string | null {
  switch (value.kind) {
    case "number":
      return value.label ?? numberText(value.value);
    case "boolean":
      return String(value.value);
    case "none":
      return "none";
    case "text":
      return JSON.stringify(value.value);
    case "tensor":
      return builder ? showType(builder.type(value.id)) : null;
    case "state":
      return builder ? showAxes(builder.states[value.index]!.axes) : null;
    case "initializer":
      return "an initialiser";
    case "axis":
      return value.size === null
        ? `axis ${value.name}`
        : showAxes([{ ...value, size: value.size }]);
    case "axes":
      return showAxes(value.axes);
    case "list":
      return `a list of ${value.items.length}`;
    case "recipe":
      return value.layer ? `layer ${value.layer.name.name}` : "layer";
    case "route":
      return builder ? routeText(value, builder.type(value.choices)) : null;
    case "error":
      return null;
  }
}

function routeText(
  { experts }: Extract<CompileValue, { kind: "route" }>,
  choices: Parameters<typeof showType>[0],
): string {
  const picks = choices.axes.reduce((count, { size }) => count * size, 1);
  return `${picks} of ${showAxes([experts]).slice(1, -1)}`;
}

/** Axes of a tensor or a state: what a hint behind a name shows. */
export function axesText(value: CompileValue, watch: Watch): string | null {
  return value.kind === "tensor" || value.kind === "state" ? valueText(value, watch) : null;
}

const numberText = (value: number): string =>
  Number.isInteger(value) ? value.toLocaleString("en-US") : String(Number(value.toPrecision(6)));
