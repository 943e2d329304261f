/** What of a model can be shared out over devices: the heads of its layers, and its experts. */

import type { Span } from "../../../grammar/ast.js";
import type { Graph } from "../../ir/graph.js";
import type { Axis } from "../../ir/types.js";
import type { Model } from "../model.js";

/** An axis of a block's layer, and where it is made. */
export interface Counted {
  readonly axis: Axis;
  readonly layer: string; // the block, by the name it has in the program
  readonly span: Span | null;
}

type Found = Omit<Counted, "layer">;

/** Axes along which a layer's states, or the keys and values of its attention, are independent. */
const headAxes: readonly string[] = ["heads", "kv_heads"];

export function headsOf(model: Model): Counted[] {
  return inFunctions(model, ({ states, nodes, values }) => {
    const attended = nodes.flatMap((node): Found[] => {
      if (node.op !== "attend") return [];
      const { span } = values[node.outputs[0]!]!;
      return values[node.inputs[1]!]!.type.axes.map((axis) => ({ axis, span }));
    });
    const stepped = states.flatMap(({ axes, span }) => axes.map((axis): Found => ({ axis, span })));
    return [...stepped, ...attended].filter(({ axis }) => headAxes.includes(axis.name));
  });
}

export function expertsOf(model: Model): Counted[] {
  return inFunctions(model, ({ nodes, values }) =>
    nodes.flatMap((node): Found[] => {
      if (node.op !== "mix") return [];
      return [{ axis: node.attributes.experts, span: values[node.outputs[0]!]!.span }];
    }),
  );
}

function inFunctions({ module, name }: Model, find: (graph: Graph) => readonly Found[]): Counted[] {
  return [...module.functions].flatMap(([called, graph]) => {
    const layer = called === module.main ? `the model \`${name}\`` : `the block \`${called}\``;
    return find(graph).map((found) => ({ ...found, layer }));
  });
}
