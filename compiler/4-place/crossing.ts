/**
 * What one run of a function sends over the mesh, found by walking its lowered graph, whose recurrences and attention
 * are one op each. Sizes are those of one device: its sequences, its shard of the time, its heads.
 */

import type { SequenceStrategy } from "../1-check/blocks/mesh.js";
import type { MeshAxis } from "../1-check/blocks/tables/mesh.js";
import { GraphBuilder } from "../ir/builder.js";
import { copyNode, openCopy } from "../ir/copy.js";
import type { Graph, Node, ValueId } from "../ir/graph.js";
import {
  type Axis,
  InternalFault,
  elementCount,
  findAxis,
  hasAxis,
  type TensorType,
} from "../ir/types.js";
import { type AffineMap, type NoMap, mapOfRecurrence, mapOfScan } from "./affine-map.js";
import { baseName } from "./along.js";
import { type MeshShape, groupSize, present, tokenAxes } from "./mesh-shape.js";
import type { CollectiveKind } from "./placement.js";
import { shareAxes } from "./tensor-parallel.js";

/** One tensor that crosses the mesh; in the backward pass `kind` becomes its adjoint. */
export interface Crossing {
  readonly kind: CollectiveKind;
  readonly axes: readonly MeshAxis[];
  readonly what: string;
  /** Elements of the whole tensor on one device, and bytes of each: null for those of activations. */
  readonly elements: number;
  readonly width: 4 | null;
  readonly when: "forward" | "backward" | "both";
}

export interface CrossingOptions {
  readonly shape: MeshShape;
  readonly sequence: SequenceStrategy;
  readonly packed: boolean;
  readonly tpAxes: ReadonlySet<string>;
}

/** Of a graph all of whose recurrences can be cut (uncut.ts), where the mesh has cp. */
export function crossingsOf(graph: Graph, options: CrossingOptions): Crossing[] {
  const walk = new Walk(graph, options);
  return [...walk.tensorParallel(), ...walk.nodes()];
}

class Walk {
  private readonly found: Crossing[] = [];

  constructor(
    private readonly graph: Graph,
    private readonly options: CrossingOptions,
  ) {}

  tensorParallel(): Crossing[] {
    const { shape, tpAxes } = this.options;
    const { reduced, gathered, entering, weights } = shareAxes(this.graph, tpAxes);
    const axes = present(shape, ["tp"]);
    const each = (
      types: readonly TensorType[],
      rest: Pick<Crossing, "kind" | "what" | "when" | "width">,
    ): Crossing[] => types.map((type) => ({ axes, elements: elementCount(type), ...rest }));
    return [
      ...each(reduced, {
        kind: "all-reduce",
        what: "partial sums",
        when: "forward",
        width: null,
      }),
      ...each(gathered, { kind: "all-gather", what: "whole heads", when: "both", width: null }),
      ...each(entering, {
        kind: "all-reduce",
        what: "gradients of inputs",
        when: "backward",
        width: null,
      }),
      ...together(
        each(
          weights.map((id) => this.type(id)),
          { kind: "all-reduce", what: "gradients of whole weights", when: "backward", width: 4 },
        ),
      ),
    ];
  }

  nodes(): Crossing[] {
    const builder = new GraphBuilder(this.graph.name);
    const known = openCopy(builder, this.graph);
    const means: TensorType[] = [];
    for (const node of this.graph.nodes) {
      this.node(node, builder, known);
      if ((node.op === "reduce" || node.op === "dot") && node.attributes.over.includes("batch"))
        means.push(this.type(node.outputs[0]!));
      copyNode(builder, this.graph, node, known);
    }
    const axes = present(this.options.shape, tokenAxes);
    if (means.length > 0 && axes.length > 0)
      this.found.push({
        kind: "all-reduce",
        axes,
        what: "sums over all tokens",
        elements: means.reduce((sum, type) => sum + elementCount(type), 0),
        width: 4,
        when: "forward",
      });
    return this.found;
  }

  private node(node: Node, builder: GraphBuilder, known: ReadonlyMap<ValueId, ValueId>): void {
    const { packed } = this.options;
    switch (node.op) {
      case "take":
        if (node.attributes.axis === "time") this.dispatch("tokens to experts", node.outputs[0]!);
        return;
      case "put":
        if (node.attributes.axis.name === "time")
          this.dispatch("results of experts", node.inputs[1]!);
        return;
      case "recurrence":
        return this.state(
          mapOfRecurrence(node, (id) => this.type(id), packed),
          node,
        );
      case "scan": {
        if (!this.cut) return;
        const inputs = node.inputs.map((id) => known.get(id)!);
        return this.state(mapOfScan(builder, node, inputs, packed), node);
      }
      case "attend":
        return this.attend(node.inputs[1]!, node.inputs[2]!, node.attributes.window);
      case "conv":
        return this.context(
          node,
          findAxis(this.type(node.inputs[1]!), node.attributes.taps)!.size - 1,
        );
      case "delay":
        return this.context(node, node.attributes.by);
      case "rename": // what belongs to a whole window needs the values of all its tokens
        if ("time" in node.attributes.names) this.gather("values of all tokens", [node.inputs[0]!]);
        return;
      case "reduce":
      case "dot":
        if (node.attributes.over.includes("time") && !node.attributes.over.includes("batch"))
          this.add("all-reduce", "cp", "sums over a sequence", this.local(node.outputs[0]!), null);
        return;
      default:
        return;
    }
  }

  private get cut(): boolean {
    return this.options.shape.sizes.cp > 1;
  }

  private add(
    kind: CollectiveKind,
    axis: MeshAxis,
    what: string,
    elements: number,
    width: 4 | null,
  ): void {
    if (this.options.shape.sizes[axis] > 1 && elements > 0)
      this.found.push({ kind, axes: [axis], what, elements, width, when: "both" });
  }

  /** Rows that go to the devices of their experts, or come back from them. */
  private dispatch(what: string, rows: ValueId): void {
    if (hasAxis(this.type(rows), "slots") && this.type(rows).axes.length > 2)
      this.add("all-to-all", "ep", what, this.local(rows), null);
  }

  private state(map: AffineMap | NoMap, node: Node): void {
    if (!this.cut) return;
    if ("reason" in map) throw new InternalFault(`${map.label} cannot be cut: ${map.reason}`);
    const { shape, sequence } = this.options;
    const batch = findAxis(this.type(node.inputs[0]!), "batch")?.size ?? 1;
    const memories = map.axis === "slots" ? this.memories() : 1;
    const own = batch * memories * this.product(map.state);
    const whole = own + batch * memories * this.product(map.map);
    const what = `state ${map.label}`;
    if (sequence === "lasp2") this.add("all-gather", "cp", what, shape.sizes.cp * whole, 4);
    else this.add("send-recv", "cp", what, own, 4);
  }

  /** LASP-2H: keys and values of the whole sequence; a window needs those before the shard alone. */
  private attend(k: ValueId, v: ValueId, window: number | null): void {
    const { time } = this.sizes(k);
    const elements = this.local(k) + this.local(v);
    if (window !== null && window - 1 <= time)
      return this.add(
        "send-recv",
        "cp",
        "keys and values of the window",
        (elements / time) * (window - 1),
        null,
      );
    const { shape, sequence } = this.options;
    if (sequence === "lasp2")
      this.add("all-gather", "cp", "keys and values", shape.sizes.cp * elements, null);
    else this.add("send-recv", "cp", "keys and values", (shape.sizes.cp - 1) * elements, null);
  }

  /** The tokens before a shard that its first ones need. */
  private context(node: Node, tokens: number): void {
    const x = node.inputs[0]!;
    const { axes } = this.type(x);
    const along = axes.find(({ name }) => name === "time" || name === "slots");
    if (along === undefined || tokens <= 0) return;
    const memories = along.name === "slots" ? this.memories() : 1;
    const elements = (this.local(x) / along.size) * tokens * memories;
    this.add(
      "send-recv",
      "cp",
      node.op === "conv" ? "context of convolutions" : "tokens before",
      elements,
      null,
    );
  }

  private gather(what: string, ids: readonly ValueId[]): void {
    const { cp } = this.options.shape.sizes;
    for (const id of ids) this.add("all-gather", "cp", what, cp * this.local(id), null);
  }

  /** Memories of a route on one device, each with a sequence of its own. */
  private memories(): number {
    const route = this.graph.nodes.find(({ op }) => op === "slot_positions");
    if (route?.op !== "slot_positions") return 1;
    return route.attributes.experts.size / this.options.shape.sizes.ep;
  }

  private sizes(id: ValueId): { readonly time: number } {
    return { time: findAxis(this.type(id), "time")?.size ?? 1 };
  }

  private type(id: ValueId): TensorType {
    return this.graph.values[id]!.type;
  }

  private local(id: ValueId): number {
    return this.product(this.type(id).axes);
  }

  /** Elements on one device of tp. */
  private product(axes: readonly Axis[]): number {
    const { tpAxes, shape } = this.options;
    const shared = axes.some(({ name }) => tpAxes.has(baseName(name)));
    return elementCount({ dtype: "float", axes }) / (shared ? groupSize(shape, ["tp"]) : 1);
  }
}

/** Tensors that are sent as one. */
function together(crossings: readonly Crossing[]): Crossing[] {
  const [first] = crossings;
  if (first === undefined) return [];
  const elements = crossings.reduce((sum, each) => sum + each.elements, 0);
  return [{ ...first, elements }];
}
