/** How a value was made, in the user's names: operands of a normal form as people read them. */

import type { GraphBuilder } from "../../ir/builder.js";
import type { Node, NodeOf, ValueId } from "../../ir/graph.js";
import type { ScalarFunction } from "../../ir/scalar-functions.js";

/** Deeper expressions are cut short. */
const deepest = 5;

/** Binary functions with a sign of their own, and how strongly they bind. */
const signs: Readonly<Partial<Record<ScalarFunction, readonly [string, number]>>> = {
  add: ["+", 1],
  sub: ["-", 1],
  mul: ["*", 2],
  div: ["/", 2],
  pow: ["^", 3],
};

/** `sigmoid(g) * k`: named values by their names, all else by how it was made. */
export const written = (b: GraphBuilder, id: ValueId): string => expression(b, id, 0, 0);

function expression(b: GraphBuilder, id: ValueId, binding: number, depth: number): string {
  const node = b.producer(id);
  const name = mapOf(b, node) ?? b.values[id]!.name;
  if (name !== null) return name;
  if (node === undefined || depth > deepest) return "…";
  const inner = (at: number, strength = 0): string =>
    expression(b, node.inputs[at]!, strength, depth + 1);
  switch (node.op) {
    case "constant":
      return String(node.attributes.value);
    case "iota":
      return `iota(${node.attributes.axis.name})`;
    case "map":
      return ofMap(node, binding, inner);
    // these change how a value lies, not what it is
    case "expand":
    case "rename":
    case "take":
      return expression(b, node.inputs[0]!, binding, depth + 1);
    case "reduce":
      return `${node.attributes.fn}(${[inner(0), ...node.attributes.over].join(", ")})`;
    case "dot":
    case "grouped_dot":
      return `dot(${[inner(0), inner(1), ...node.attributes.over].join(", ")})`;
    case "rotate":
      return `rotate(${inner(0)}, ${inner(1)})`;
    default:
      return `${node.op}(${node.inputs.map((_, at) => inner(at)).join(", ")})`;
  }
}

/** A linear map is called as its weight lies: `q` of `mixer.q.weight`, whatever it is called within `linear`. */
function mapOf(b: GraphBuilder, node: Node | undefined): string | null {
  if (node?.op !== "dot" && node?.op !== "grouped_dot") return null;
  const path = b.parameters.find(({ value }) => node.inputs.includes(value))?.path;
  if (path?.endsWith(".weight") !== true) return null;
  const segments = path.split(".").slice(0, -1);
  return segments.findLast((segment) => segment !== "linear") ?? null;
}

function ofMap(
  { attributes: { fn }, inputs }: NodeOf<"map">,
  binding: number,
  inner: (at: number, strength?: number) => string,
): string {
  if (fn === "neg") return `-${inner(0, 2)}`;
  const sign = signs[fn];
  if (sign === undefined) return `${fn}(${inputs.map((_, at) => inner(at)).join(", ")})`;
  const [text, strength] = sign;
  const whole = `${inner(0, strength)} ${text} ${inner(1, strength + 1)}`;
  return strength < binding ? `(${whole})` : whole;
}
