/** reshape, slice, pad, concat, shift, cumulate, topK, argsort: one axis of several. */

import { type Random, floats, pick, shuffled, smallSizes, whole } from "./arbitrary.js";
import type { KernelCase } from "./case.js";
import { type Index, type Named, at, build, indices } from "./named.js";

interface Along {
  readonly x: Named;
  readonly letter: string;
  readonly axis: number;
  readonly size: number;
}

function randomAlong(
  next: Random,
  most = 1000,
  numbers?: (letters: string, sizes: Record<string, number>) => Named,
): Along {
  const letters = shuffled(next, "BTHKVDE".slice(0, 1 + Math.floor(next() * 7)));
  const sizes = smallSizes(next, letters, most);
  const axis = Math.floor(next() * letters.length);
  const plain = () =>
    next() < 0.3 ? whole(letters, sizes, next, 100) : floats(letters, sizes, next);
  const x = numbers ? numbers(letters, sizes) : plain();
  return { x, letter: letters[axis]!, axis, size: sizes[letters[axis]!]! };
}

const resized = (x: Named, letter: string, size: number, value: (index: Index) => number): Named =>
  build(x.letters, { ...x.sizes, [letter]: size }, value, x.dtype);

const title = ({ x, letter }: Along, ...rest: unknown[]): string =>
  JSON.stringify([x.letters, letter, x.sizes, x.dtype, ...rest]);

const reshape: KernelCase = {
  name: "reshape",
  make(next) {
    const along = randomAlong(next);
    const flat = build(
      "N",
      { N: along.x.data.length },
      ({ N }) => along.x.data[N!]!,
      along.x.dtype,
    );
    return {
      title: title(along),
      inputs: [along.x],
      run: (k, [x]) => k.reshape(x!, [x!.size]),
      expected: [flat],
      tolerance: 0,
    };
  },
};

const slice: KernelCase = {
  name: "slice",
  make(next) {
    const along = randomAlong(next);
    const { x, letter, axis, size } = along;
    const start = Math.floor(next() * size);
    const length = 1 + Math.floor(next() * (size - start));
    return {
      title: title(along, start, length),
      inputs: [x],
      run: (k, given) => k.slice(given[0]!, axis, start, length),
      expected: [resized(x, letter, length, (i) => at(x, { ...i, [letter]: i[letter]! + start }))],
      tolerance: 0,
    };
  },
};

const pad: KernelCase = {
  name: "pad",
  make(next) {
    const along = randomAlong(next);
    const { x, letter, axis, size } = along;
    const [before, after] = [Math.floor(next() * 3), Math.floor(next() * 3)];
    const value = (i: Index): number => {
      const from = i[letter]! - before;
      return from < 0 || from >= size ? 0 : at(x, { ...i, [letter]: from });
    };
    return {
      title: title(along, before, after),
      inputs: [x],
      run: (k, given) => k.pad(given[0]!, axis, before, after),
      expected: [resized(x, letter, before + size + after, value)],
      tolerance: 0,
    };
  },
};

const concat: KernelCase = {
  name: "concat",
  make(next) {
    const along = randomAlong(next, 300);
    const { x, letter, axis } = along;
    const lengths = Array.from(
      { length: 1 + Math.floor(next() * 10) },
      () => 1 + Math.floor(next() * 3),
    );
    const parts = lengths.map((length) =>
      resized(x, letter, length, () => Math.floor(next() * 50)),
    );
    const owner = lengths.flatMap((length, part) =>
      Array.from({ length }, (_, offset) => ({ part, offset })),
    );
    const value = (i: Index): number => {
      const { part, offset } = owner[i[letter]!]!;
      return at(parts[part]!, { ...i, [letter]: offset });
    };
    return {
      title: title(along, lengths),
      inputs: parts,
      run: (k, given) => k.concat(given, axis),
      expected: [resized(x, letter, owner.length, value)],
      tolerance: 0,
    };
  },
};

const shift: KernelCase = {
  name: "shift",
  make(next) {
    const along = randomAlong(next);
    const { x, letter, axis, size } = along;
    const by = Math.floor(next() * (2 * size + 3)) - size - 1;
    const value = (i: Index): number => {
      const from = i[letter]! - by;
      return from < 0 || from >= size ? 0 : at(x, { ...i, [letter]: from });
    };
    return {
      title: title(along, by),
      inputs: [x],
      run: (k, given) => k.shift(given[0]!, axis, by),
      expected: [resized(x, letter, size, value)],
      tolerance: 0,
    };
  },
};

const cumulate: KernelCase = {
  name: "cumulate",
  make(next) {
    const along = randomAlong(next);
    const { x, letter, axis, size } = along;
    const fn = pick(next, ["sum", "max"] as const);
    const [reverse, exclusive] = [next() < 0.5, next() < 0.5];
    const value = (i: Index): number => {
      const here = i[letter]!;
      let running = fn === "sum" ? 0 : -Infinity;
      for (let t = 0; t < size; t++) {
        const inside = reverse ? t > here : t < here;
        if (!inside && (exclusive || t !== here)) continue;
        const one = at(x, { ...i, [letter]: t });
        running = fn === "sum" ? running + one : Math.max(running, one);
      }
      return running;
    };
    return {
      title: title(along, fn, { reverse, exclusive }),
      inputs: [x],
      run: (k, given) => k.cumulate(given[0]!, fn, axis, reverse, exclusive),
      expected: [build(x.letters, x.sizes, value)],
    };
  },
};

/** Positions along the axis in the order of `before`; equal values by position. */
function ordered(x: Named, letter: string, index: Index, sign: number): number[] {
  const row = Array.from({ length: x.sizes[letter]! }, (_, t) => at(x, { ...index, [letter]: t }));
  return row.map((_, t) => t).sort((a, b) => sign * (row[a]! - row[b]!) || a - b);
}

/** Few distinct numbers, so that there are ties; sometimes −∞, as masked router scores have. */
const withTies =
  (next: Random) =>
  (letters: string, sizes: Record<string, number>): Named => {
    if (next() < 0.3) return floats(letters, sizes, next);
    return build(letters, sizes, () => pick(next, [-Infinity, -1, 0, 0.5, 1]));
  };

const topK: KernelCase = {
  name: "topK",
  make(next) {
    const along = randomAlong(next, 500, withTies(next));
    const { x, letter, axis, size } = along;
    const k = 1 + Math.floor(next() * size);
    const rest = x.letters.replace(letter, "");
    const data = new Float64Array(
      [...indices(rest, x.sizes)].flatMap((i) => ordered(x, letter, i, -1).slice(0, k)),
    );
    return {
      title: title(along, k),
      inputs: [x],
      run: (kernels, given) => kernels.topK(given[0]!, axis, k),
      expected: [{ letters: `${rest}Z`, sizes: { ...x.sizes, Z: k }, data, dtype: "int32" }],
      tolerance: 0,
    };
  },
};

const argsort: KernelCase = {
  name: "argsort",
  make(next) {
    const numbers =
      next() < 0.5
        ? withTies(next)
        : (letters: string, sizes: Record<string, number>) => whole(letters, sizes, next, 4);
    const along = randomAlong(next, 500, numbers);
    const { x, letter, axis } = along;
    return {
      title: title(along),
      inputs: [x],
      run: (k, given) => k.argsort(given[0]!, axis),
      expected: [build(x.letters, x.sizes, (i) => ordered(x, letter, i, 1)[i[letter]!]!, "int32")],
      tolerance: 0,
    };
  },
};

export const structureCases: readonly KernelCase[] = [
  reshape,
  slice,
  pad,
  concat,
  shift,
  cumulate,
  topK,
  argsort,
];
