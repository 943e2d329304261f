/** What the file says once about every block of the model: its parameters, its types, its comment. */

import type { ModelParameter, Step } from "../../../ir/program.js";
import { elementCount } from "../../../ir/types.js";
import { type Plan, blockOf } from "./plan.js";
import { wrapped } from "./text.js";
import type { BlockType } from "./weights.js";

export interface Block {
  readonly name: string;
  /** Its functions, in the order in which they are written. */
  readonly plans: readonly Plan[];
  /** Where it stands in the model. */
  readonly prefixes: readonly string[];
  readonly type: BlockType;
  /** Its parameters, with paths below it, as they are where it stands first. */
  readonly parameters: readonly ModelParameter[];
}

type Call = Extract<Step, { kind: "call" }>;

/** All calls of a function, each place once. */
export function placesOf(
  plan: Plan,
): readonly { readonly block: string; readonly prefix: string }[] {
  const calls = plan.fn.steps.filter((step): step is Call => step.kind === "call");
  const places = calls.map(({ callee, prefix }) => ({ block: blockOf(callee), prefix }));
  return places.filter(
    (place, i) => places.findIndex((other) => other.prefix === place.prefix) === i,
  );
}

/** The blocks that all these functions are of, in the order of their first function. */
export function blocksOf(
  plans: readonly Plan[],
  parameters: readonly ModelParameter[],
): readonly Block[] {
  const places = plans.filter(({ block }) => block === null).flatMap(placesOf);
  const names = [...new Set(plans.flatMap(({ block }) => block ?? []))];
  return names.map((name) => {
    const own = plans.filter(({ block }) => block === name);
    const there = places.filter(({ block }) => block === name).map(({ prefix }) => prefix);
    const [first] = there;
    return {
      name,
      plans: own,
      prefixes: [...new Set(there)],
      type: { type: own[0]!.weights, paths: [...new Set(own.flatMap(({ paths }) => paths))] },
      parameters: first === undefined ? [] : below(first, parameters),
    };
  });
}

function below(prefix: string, parameters: readonly ModelParameter[]): ModelParameter[] {
  const start = `${prefix}.`;
  return parameters
    .filter(({ path }) => path.startsWith(start))
    .map((parameter) => ({ ...parameter, path: parameter.path.slice(start.length) }));
}

/** What a function of a block is; the first one quotes the source. */
export function blockComment({ name, parameters }: Block, plan: Plan, text?: string): string[] {
  switch (plan.fn.name.slice(name.length + 1)) {
    case "forward": {
      const count = parameters.reduce((sum, { type }) => sum + elementCount(type), 0);
      const what = `${count.toLocaleString("en-US")} parameters. Keeps what the backward pass needs.`;
      return wrapped(`${text === undefined ? name : `${name} = ${text}`}: ${what}`);
    }
    case "backward":
      return [`From the gradient of what ${name} gives to those of its input and its weights.`];
    default:
      return [`${name} without a backward pass to come.`];
  }
}
