/** Axes as letters: how kernels of the tfjs runtime name them. */

import type { Axis, TensorType } from "../../ir/types.js";

/** What the field calls its axes; others take the next free letter. */
const usual: Readonly<Record<string, string>> = {
  batch: "B",
  time: "T",
  width: "D",
  heads: "H",
  key: "K",
  value: "V",
  vocab: "Z",
  experts: "E",
  hidden: "F",
  chunk: "N",
  step: "C",
  source: "S",
  slots: "L",
  choice: "J",
  taps: "W",
  head: "A",
  group: "G",
  kv_heads: "M",
  memories: "E",
  rank: "R",
  picks: "P",
  n: "K",
};

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Gives every (axis, size) a letter of its own, the same for all its uses. */
export class Letters {
  private readonly given = new Map<string, string>();
  private readonly axes = new Map<string, Axis>();

  of(axis: Axis): string {
    const key = `${axis.name} ${axis.size}`;
    const known = this.given.get(key);
    if (known !== undefined) return known;
    const wanted = [usual[axis.name], axis.name[0]?.toUpperCase(), axis.name[0], ...alphabet];
    const letter = wanted.find(
      (one) => one !== undefined && alphabet.includes(one) && !this.axes.has(one),
    );
    if (letter === undefined) throw new Error("more than 52 different axes");
    this.given.set(key, letter);
    this.axes.set(letter, axis);
    return letter;
  }

  all(type: TensorType): string {
    return type.axes.map((axis) => this.of(axis)).join("");
  }

  /** Every letter with its axis, in order of first use. */
  legend(): ReadonlyMap<string, Axis> {
    return this.axes;
  }
}
