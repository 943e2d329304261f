/** Axes as letters: how kernels of the tfjs runtime name them. */

import type { Axis, TensorType } from "../../ir/types.js";

/** What the field calls its axes; others take the next free letter. */
const usual = new Map(
  Object.entries({
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
  }),
);

/** Without k and w: emitted functions call the kernels and the weights so. */
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijlmnopqrstuvxyz";

/** The letters an axis would like, best first: `width'`, which a contraction takes, is a small `width`. */
function wishes(name: string): readonly (string | undefined)[] {
  const plain = name.replace(/'+$/, "");
  const best = usual.get(plain) ?? plain[0]?.toUpperCase();
  return plain === name ? [best, name[0]] : [best?.toLowerCase(), best];
}

/** Gives every (axis, size) a letter of its own, the same for all its uses. */
export class Letters {
  private readonly given = new Map<string, string>();
  private readonly axes = new Map<string, Axis>();

  of(axis: Axis): string {
    const key = `${axis.name} ${axis.size}`;
    const known = this.given.get(key);
    if (known !== undefined) return known;
    const letter = [...wishes(axis.name), ...alphabet].find(
      (one) => one !== undefined && alphabet.includes(one) && !this.axes.has(one),
    );
    if (letter === undefined) throw new Error(`more than ${alphabet.length} different axes`);
    this.given.set(key, letter);
    this.axes.set(letter, axis);
    return letter;
  }

  all(type: TensorType): string {
    return type.axes.map((axis) => this.of(axis)).join("");
  }

  /**
   * Letters for one kernel over these types: these here, unless a program has more different axes than
   * there are letters. Then those that found none take letters whose axes the kernel lacks.
   */
  covering(types: readonly TensorType[]): Letters {
    const axes = types.flatMap((type) => type.axes);
    const missing = axes.filter(({ name, size }) => !this.given.has(`${name} ${size}`));
    const fits = this.axes.size + missing.length < alphabet.length; // one is left for a row's axis
    if (fits) return this;
    const own = new Letters();
    for (const axis of axes) {
      const letter = this.given.get(`${axis.name} ${axis.size}`);
      if (letter !== undefined) own.give(axis, letter);
    }
    return own;
  }

  private give(axis: Axis, letter: string): void {
    this.given.set(`${axis.name} ${axis.size}`, letter);
    this.axes.set(letter, axis);
  }

  /** Every letter with its axis, in order of first use. */
  legend(): ReadonlyMap<string, Axis> {
    return this.axes;
  }
}
