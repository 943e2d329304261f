/**
 * Axes as letters, in the manner of torchtitan and Noam Shazeer: `q_BTHK` has the axes batch, time, heads and
 * key. A letter is one axis of one size; it is also the constant that holds the size.
 */

import type { Axis } from "../../ir/types.js";

/** What the field calls its axes; others take their first letter. */
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
    hidden: "U",
    slots: "S",
    choice: "C",
    head: "A",
    group: "G",
    kv_heads: "M",
    memories: "E",
    picks: "P",
  }),
);

/**
 * The sizes models are lowered for before they are emitted, so that what depends on them can be told from
 * what is the model's own: primes that nothing else is a multiple of.
 */
export const sentinel = { batch: 7919, time: 104729 } as const;

/** What a model is lowered for: batches of any length, or windows, whose length is the model's own. */
export const emittedSizes = (window: { readonly tokens: number } | null) => ({
  batch: sentinel.batch,
  time: window?.tokens ?? sentinel.time,
});

/** A size that follows the batch at hand, as Python; null for a size of the model. */
function dynamicSize({ name, size }: Axis): string | null {
  if (name === "batch") return "B";
  if (size === 0 || size % sentinel.time !== 0) return null;
  const factor = size / sentinel.time;
  return factor === 1 ? "T" : `${factor} * T`;
}

/** What the file calls torch.nn.functional, and what is easily misread. */
const kept = new Set(["F", "I", "O"]);

export class Letters {
  private readonly given = new Map<string, string>();
  private readonly axes = new Map<string, Axis>([
    ["B", { name: "batch", size: sentinel.batch }],
    ["T", { name: "time", size: sentinel.time }],
  ]);
  /** Letters whose constants some text names. */
  readonly sized = new Set<string>();

  /** `classes` are names that no size may take; `time` is false where all sequences have the model's own length. */
  constructor(
    private readonly classes: ReadonlySet<string> = new Set(),
    readonly time = true,
  ) {
    this.given.set("batch 0", "B");
    if (time) this.given.set("time 0", "T");
    else this.axes.delete("T");
  }

  /** The axis's letter; `width'`, which a contraction takes, is a `width`. */
  of(axis: Axis): string {
    const name = axis.name.replace(/'+$/, "");
    const key = `${name} ${dynamicSize(axis) === null ? axis.size : 0}`;
    const known = this.given.get(key);
    if (known !== undefined) return known;
    const wished = usual.get(name) ?? (/^[a-z]/i.test(name) ? name[0]!.toUpperCase() : "X");
    let letter = wished;
    const unfit = (one: string): boolean =>
      this.axes.has(one) || kept.has(one) || this.classes.has(one);
    for (let count = 2; unfit(letter); count += 1) letter = `${wished}${count}`;
    this.given.set(key, letter);
    this.axes.set(letter, { ...axis, name });
    return letter;
  }

  /** The suffix of a tensor's name. */
  suffix(axes: readonly Axis[]): string {
    return axes.map((axis) => this.of(axis)).join("");
  }

  /** The axis's size as Python: `B`, `2 * T`, `H`. */
  size(axis: Axis): string {
    const dynamic = dynamicSize(axis);
    if (dynamic !== null) return dynamic;
    const letter = this.of(axis);
    this.sized.add(letter);
    return letter;
  }

  /** Every letter with its axis and, unless it follows the batch, its size. */
  legend(): readonly { letter: string; name: string; size: number | null }[] {
    return [...this.axes].map(([letter, axis]) => ({
      letter,
      name: axis.name,
      size: dynamicSize(axis) === null ? axis.size : null,
    }));
  }
}

/** A number of the model, or one that follows the batch's sizes, as Python. */
export function numberText(value: number): string {
  for (const slots of [1, 2, 3, 4, 5, 6, 7, 8, 16]) {
    const t = slots === 1 ? "T" : `${slots} * T`;
    if (value === 1 / (sentinel.batch * sentinel.time * slots)) return `(1 / (B * ${t}))`;
    if (value === 1 / (sentinel.time * slots)) return `(1 / (${t}))`;
  }
  if (value === 1 / sentinel.batch) return "(1 / B)";
  return String(value);
}
