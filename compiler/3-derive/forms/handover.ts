/**
 * Hands values of a graph to the body of a scan over chunks: sequences chunk by chunk, all else whole.
 *
 * How a gate was made tells that it is not negative, and what its logarithm is; an input of the body would tell
 * nothing. So constants, and the elementwise ops that make a value which is never negative, are written
 * again inside. So is what is larger than all that it is made of.
 */

import type { GraphBuilder } from "../../ir/builder.js";
import type { Node, ValueId } from "../../ir/graph.js";
import { elementCount, hasAxis, withoutAxes } from "../../ir/types.js";
import { boundsOf } from "../../ir/bounds.js";

/** Longer chains of elementwise ops are not written again. */
const deepest = 12;

export class Handover {
  /** Given to the scan, in the order of the body's inputs of the same name. */
  readonly sequences: { readonly outer: ValueId; readonly inner: ValueId }[] = [];
  readonly statics: { readonly outer: ValueId; readonly inner: ValueId }[] = [];
  private readonly known = new Map<ValueId, ValueId>();

  /** `cut` brings what has the axis into chunks [batch, chunk, axis, ..]. */
  constructor(
    private readonly outer: GraphBuilder,
    private readonly body: GraphBuilder,
    private readonly axis: string,
    private readonly cut: (id: ValueId) => ValueId,
  ) {}

  /** The value as the body sees it. */
  value(id: ValueId): ValueId {
    return this.find(id, boundsOf(this.outer, id).low >= 0 ? deepest : 0);
  }

  private find(id: ValueId, depth: number): ValueId {
    const known = this.known.get(id);
    if (known !== undefined) return known;
    const made = this.again(id, depth) ?? this.given(id);
    this.known.set(id, made);
    return made;
  }

  private again(id: ValueId, depth: number): ValueId | null {
    const { body, outer } = this;
    const node = outer.producer(id);
    if (node?.op === "constant") return body.constant(node.attributes.value);
    if (node?.op === "iota" && node.attributes.axis.name !== this.axis)
      return body.iota(node.attributes.axis);
    if (node?.op === "concat" && depth > 0 && node.attributes.axis !== this.axis)
      return body.op("concat", node.attributes, this.inner(node, depth));
    if (node?.op !== "map" || (depth === 0 && !this.isOuterProduct(node))) return null;
    return body.map(node.attributes.fn, ...this.inner(node, depth));
  }

  private inner({ inputs }: Node, depth: number): ValueId[] {
    return inputs.map((input) => this.find(input, Math.max(0, depth - 1)));
  }

  /** Whether a value is larger than all together that it is made of: then it need not lie in memory for all tokens. */
  private isOuterProduct({ inputs, outputs }: Node): boolean {
    const size = (id: ValueId): number => elementCount(this.outer.type(id));
    const all = [...new Set(inputs)].reduce((sum, id) => sum + size(id), 0);
    return size(outputs[0]!) > all;
  }

  private given(outer: ValueId): ValueId {
    const type = this.outer.type(outer);
    if (!hasAxis(type, this.axis)) {
      const inner = this.body.input(`w${this.statics.length}`, type);
      this.statics.push({ outer, inner });
      return inner;
    }
    const cut = this.cut(outer);
    const { dtype, axes } = this.outer.type(cut);
    const inner = this.body.input(`x${this.sequences.length}`, {
      dtype,
      axes: withoutAxes(axes, ["chunk"]),
    });
    this.sequences.push({ outer: cut, inner });
    return inner;
  }
}
