/**
 * Plans by spec and shapes. A hit costs one map look-up and a few comparisons of small integers: no
 * string is built or parsed.
 */

import { parseSpec } from "../letters.js";

export type SizeOf = (letter: string) => number;

/** Plans kept for one spec: training has one or two, a server may see prompts of every length. */
const mostVariants = 64;

/** Adds to a list of variants, giving up the oldest when there are too many. */
export function keepLatest<Variant>(variants: Variant[], added: Variant): void {
  if (variants.length === mostVariants) variants.shift();
  variants.push(added);
}

interface Entry<Plan> {
  readonly shapes: readonly (readonly number[])[];
  readonly plan: Plan;
}

export class ShapeCache<Plan> {
  readonly #entries = new Map<string, Entry<Plan>[]>();

  /**
   * `make` gets the sizes of the letters of the operands in `spec`, as in `"BTD,DH->BTH"`. What follows their
   * shapes in `shapes` are other numbers that the plan depends on.
   */
  get(spec: string, shapes: readonly (readonly number[])[], make: (sizeOf: SizeOf) => Plan): Plan {
    let entries = this.#entries.get(spec);
    if (!entries) this.#entries.set(spec, (entries = []));
    for (const entry of entries) if (sameShapes(entry.shapes, shapes)) return entry.plan;
    const copies = shapes.map((shape) => [...shape]);
    const plan = make(sizesIn(spec, copies));
    keepLatest(entries, { shapes: copies, plan });
    return plan;
  }
}

function sameShapes(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): boolean {
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!;
    const y = b[i]!;
    if (x.length !== y.length) return false;
    for (let j = 0; j < x.length; j++) if (x[j] !== y[j]) return false;
  }
  return true;
}

/** Sizes of letters, from the operands of a spec and their shapes. */
function sizesIn(spec: string, shapes: readonly (readonly number[])[]): SizeOf {
  const sizes = new Map<string, number>();
  parseSpec(spec).operands.forEach((letters, i) =>
    [...letters].forEach((letter, axis) => sizes.set(letter, shapes[i]![axis]!)),
  );
  return (letter) => {
    const size = sizes.get(letter);
    if (size === undefined) throw new Error(`spec "${spec}": no operand has the letter ${letter}`);
    return size;
  };
}
