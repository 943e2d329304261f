/** What a row of the tables of expressions (op-text.ts, fused-text.ts) has at hand: its operands, their axes, and the result's. */

import type { ValueId } from "../../ir/graph.js";
import type { Axis } from "../../ir/types.js";
import { fit } from "./layout.js";
import type { Letters } from "./letters.js";
import type { Operand } from "./recurrence-text.js";
import type { comparisons } from "./scalar-text.js";
import { type Text, atom, tightness, within } from "./text.js";

/** What an expression may ask of the function it stands in. */
export interface Surroundings {
  readonly letters: Letters;
  axes(id: ValueId): readonly Axis[];
  /** A tensor, parameter or number. */
  text(id: ValueId): Text;
  /** The truth value a 0 or 1 was made of, where that is a comparison of what has names. */
  condition(id: ValueId): { fn: keyof typeof comparisons; inputs: readonly ValueId[] } | null;
  /** The submodule at a path of the function's parameters. */
  module(path: string): string;
  /** A tensor on the device at hand. */
  device(): string;
  isZero(id: ValueId): boolean;
  /** Last arguments of what looks back: the function's cache, where it has one. */
  readonly cache: readonly string[];
  /** What must be imported from lsm_torch.nn. */
  use(helper: string): void;
}

export const names = (axes: readonly Axis[]): string[] => axes.map(({ name }) => name);

export class Writer {
  constructor(
    readonly s: Surroundings,
    readonly inputs: readonly ValueId[],
    readonly output: readonly Axis[],
  ) {}

  axes = (i: number): readonly Axis[] => this.s.axes(this.inputs[i]!);
  text = (i: number): Text => this.s.text(this.inputs[i]!);
  size = (axis: Axis): string => this.s.letters.size(axis);
  operand = (i: number): Operand => ({ text: this.text(i), axes: this.axes(i) });
  sizeOf = (i: number, name: string): Axis => this.axes(i).find((axis) => axis.name === name)!;

  /** Input i with the axes of the output that it has, ready to broadcast. */
  broadcast = (i: number): Text => fit(this.text(i), this.axes(i), names(this.output));

  /** Input i with exactly these axes, of which it has all. */
  ordered = (i: number, axes: readonly string[]): string =>
    fit(this.text(i), this.axes(i), axes).text;

  atomOf = (i: number): string => within(this.text(i), tightness.atom);

  helper(name: string, args: readonly string[]): Text {
    this.s.use(name);
    return atom(`${name}(${args.join(", ")})`);
  }

  /** A result whose axes came out in some order, in the order that is asked for. */
  conform = (text: Text, axes: readonly Axis[]): Text => fit(text, axes, names(this.output));
}

export type Row<Node> = (node: Node, w: Writer) => Text;
