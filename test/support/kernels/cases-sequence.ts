/** solve, the convolutions, scan, adamw, muon. */

import { kernels as definitions } from "../../../runtime/interpret/ops.js";
import { tensor } from "../../../runtime/interpret/tensor.js";
import { type Random, floats, pick, shuffled, smallSizes, some, whole } from "./arbitrary.js";
import type { KernelCase } from "./case.js";
import { type Index, type Named, accumulate, at, build, indices } from "./named.js";

/** X with (I − L) X = b, or (I − Lᵀ) X = b, by substitution. */
function substitute(
  l: Named,
  b: Named,
  letters: string,
  sizes: Record<string, number>,
  transposed: boolean,
): Named {
  const x = build(letters, sizes, (i) => at(b, i));
  const n = sizes.R!;
  const order = Array.from({ length: n }, (_, t) => (transposed ? n - 1 - t : t));
  const places = [...indices(letters, sizes)];
  const place = new Map(places.map((index, i) => [JSON.stringify(index), i]));
  for (const r of order) {
    places.forEach((index, i) => {
      if (index.R !== r) return;
      for (let c = 0; c < n; c++) {
        if (transposed ? c <= r : c >= r) continue;
        const entry = transposed
          ? at(l, { ...index, R: c, C: r })
          : at(l, { ...index, R: r, C: c });
        x.data[i]! += entry * x.data[place.get(JSON.stringify({ ...index, R: c }))!]!;
      }
    });
  }
  return x;
}

const solve: KernelCase = {
  name: "solve",
  make(next) {
    const n = pick(next, [1, 2, 3, 4, 7, 8, 16, 33]);
    const sizes = { ...smallSizes(next, "BHV", 8), R: n, C: n };
    const tidy = next() < 0.5;
    const order = tidy
      ? (letters: string) => letters
      : (letters: string) => shuffled(next, letters);
    const batch = some(next, "BH");
    const [matrix, right] = [order(`${batch}RC`), order(`${batch}R${some(next, "V", 0.8)}`)];
    const result = order(right);
    const transposed = next() < 0.5;
    // All keys alike is the case in which powers of L cancel: entries near −1.
    const low = next() < 0.3 ? -1 : -0.5;
    const high = low === -1 ? -0.9 : 0.5;
    const l = build(matrix, sizes, ({ R, C }) =>
      R! > C! ? Math.fround(low + (high - low) * next()) : 0,
    );
    const b = floats(right, sizes, next);
    const spec = `${matrix},${right}->${result}`;
    return {
      title: `${spec} transposed ${transposed} ${JSON.stringify(sizes)}`,
      inputs: [l, b],
      run: (k, given) => k.solve(spec, "R", "C", transposed, given[0]!, given[1]!),
      expected: [substitute(l, b, result, sizes, transposed)],
      tolerance: 2e-5,
    };
  },
};

interface ConvParts {
  readonly sizes: Record<string, number>;
  readonly xs: string;
  readonly ws: string;
  readonly ps: string;
}

function convParts(next: Random): ConvParts {
  const sizes = { ...smallSizes(next, "BTHK", 400), J: pick(next, [1, 2, 4]) };
  const order =
    next() < 0.6 ? (letters: string) => letters : (letters: string) => shuffled(next, letters);
  const channels = some(next, "HK", 0.8);
  const batch = some(next, "B", 0.9);
  return {
    sizes,
    xs: order(`${batch}T${channels}`),
    ws: order(`J${channels}`),
    ps: order(`${batch}T`),
  };
}

/** x[t − j] while j ≤ positions[t], else 0 */
function reached(x: Named, positions: Named, i: Index): number {
  const from = i.T! - i.J!;
  return from < 0 || i.J! > at(positions, i) ? 0 : at(x, { ...i, T: from });
}

const conv: KernelCase = {
  name: "conv",
  make(next) {
    const { sizes, xs, ws, ps } = convParts(next);
    const [x, w, positions] = [
      floats(xs, sizes, next),
      floats(ws, sizes, next),
      whole(ps, sizes, next, 5, "float32"),
    ];
    const spec = `${xs},${ws},${ps}->${xs}`;
    return {
      title: spec + JSON.stringify(sizes),
      inputs: [x, w, positions],
      run: (k, given) => k.conv(spec, "T", "J", given[0]!, given[1]!, given[2]!),
      expected: [accumulate(`${xs}J`, xs, sizes, (i) => at(w, i) * reached(x, positions, i))],
    };
  },
};

const convInputGradient: KernelCase = {
  name: "convInputGradient",
  make(next) {
    const { sizes, xs, ws, ps } = convParts(next);
    const [dy, w, positions] = [
      floats(xs, sizes, next),
      floats(ws, sizes, next),
      whole(ps, sizes, next, 5, "float32"),
    ];
    const spec = `${xs},${ws},${ps}->${xs}`;
    const value = (i: Index): number => {
      const to = { ...i, T: i.T! + i.J! };
      return to.T >= sizes.T! || i.J! > at(positions, to) ? 0 : at(w, i) * at(dy, to);
    };
    return {
      title: spec + JSON.stringify(sizes),
      inputs: [dy, w, positions],
      run: (k, given) => k.convInputGradient(spec, "T", "J", given[0]!, given[1]!, given[2]!),
      expected: [accumulate(`${xs}J`, xs, sizes, value)],
    };
  },
};

const convWeightGradient: KernelCase = {
  name: "convWeightGradient",
  make(next) {
    const { sizes, xs, ws, ps } = convParts(next);
    const [x, dy, positions] = [
      floats(xs, sizes, next),
      floats(xs, sizes, next),
      whole(ps, sizes, next, 5, "float32"),
    ];
    const spec = `${xs},${xs},${ps}->${ws}`;
    return {
      title: spec + JSON.stringify(sizes),
      inputs: [x, dy, positions],
      run: (k, given) =>
        k.convWeightGradient(spec, "T", "J", sizes.J!, given[0]!, given[1]!, given[2]!),
      expected: [accumulate(`${xs}J`, ws, sizes, (i) => at(dy, i) * reached(x, positions, i))],
    };
  },
};

/** s ← s · gate[t] + x[t] · scale and y[t] = s, with a second state that counts steps and is handed on as it is. */
const scan: KernelCase = {
  name: "scan",
  make(next) {
    const sizes = smallSizes(next, "BTHK", 300);
    const [reverse, resets] = [next() < 0.5, next() < 0.5];
    const first = next() < 0.7;
    const [xs, gs] = [first ? "BTHK" : "THKB", "BTH"];
    const [state, output] = [first ? "BHK" : "HKB", first ? "BTHK" : "HKTB"];
    const restart = [0.25, 3];
    const x = floats(xs, sizes, next);
    const gate = floats(gs, sizes, next, 0.2, 0.9);
    const scale = floats("H", sizes, next);
    const start = floats(state, sizes, next);
    const still = floats("B", sizes, next);
    const flags = build("BT", sizes, () => Number(next() < 0.3));
    const wanted = {
      outputs: [next() < 0.8, next() < 0.8],
      finals: [next() < 0.5, next() < 0.5],
      befores: [next() < 0.5, next() < 0.5],
    };

    const along = first ? "BTHK" : "THKB";
    const [ys, befores, stills] = [
      build(output, sizes, () => 0),
      build(along, sizes, () => 0),
      build("BT", sizes, () => 0),
    ];
    const [finals, finalStill] = [build(state, sizes, () => 0), build("B", sizes, () => 0)];
    const set = (target: Named, index: Index, value: number): void => {
      let offset = 0;
      for (const letter of target.letters) offset = offset * sizes[letter]! + index[letter]!;
      target.data[offset] = value;
    };
    const times = Array.from({ length: sizes.T! }, (_, t) => (reverse ? sizes.T! - 1 - t : t));
    for (const i of indices("BHK", sizes)) {
      let s = at(start, i);
      let c = at(still, i);
      for (const T of times) {
        const here = { ...i, T };
        if (resets && at(flags, here) !== 0) [s, c] = restart as [number, number];
        set(befores, here, s);
        set(stills, here, c);
        s = s * at(gate, here) + at(x, here) * at(scale, here);
        set(ys, here, s);
      }
      set(finals, i, s);
      set(finalStill, i, c);
    }
    const only = (flag: boolean | undefined, value: Named): Named | null => (flag ? value : null);
    return {
      title: JSON.stringify({ sizes, reverse, resets, first, wanted }),
      inputs: [start, still, x, gate, scale, flags],
      run: (k, [s0, c0, xT, gateT, scaleT, flagsT]) => {
        const bare = (letters: string): string => letters.replace("T", "");
        const own = (letters: string) => [...letters].map((letter) => sizes[letter]!);
        const result = k.scan(
          {
            axis: "T",
            length: sizes.T!,
            sequences: [xs, gs],
            outputs: [output, "BTH"],
            states: [state, "B"],
            reverse,
            resets: resets ? { letters: "BT", flags: flagsT!, restart } : null,
            wanted,
          },
          [s0!, c0!],
          [xT!, gateT!],
          [scaleT!],
          (states, [xt, gt], [h]) => {
            const kernel = {
              inputs: [state, bare(xs), bare(gs), "H"],
              output: state,
              reduce: null,
              code: [
                {
                  fn: "mul",
                  arguments: [
                    { kind: "input", index: 0 },
                    { kind: "input", index: 2 },
                  ],
                },
                {
                  fn: "mul",
                  arguments: [
                    { kind: "input", index: 1 },
                    { kind: "input", index: 3 },
                  ],
                },
                {
                  fn: "add",
                  arguments: [
                    { kind: "value", index: 0 },
                    { kind: "value", index: 1 },
                  ],
                },
              ],
            } as const;
            const s = k.map(kernel, [states[0]!, xt!, gt!, h!], {});
            // The output's own order of axes; the second state and output are what came in.
            const y = k.reshape(s, own(bare(output)));
            return { states: [s, states[1]!], outputs: [y, gt!] };
          },
        );
        return [...result.outputs, ...result.finals, ...result.befores];
      },
      expected: [
        only(wanted.outputs[0], ys),
        only(wanted.outputs[1], gate),
        only(wanted.finals[0], finals),
        only(wanted.finals[1], finalStill),
        only(wanted.befores[0], befores),
        only(wanted.befores[1], stills),
      ],
    };
  },
};

/** Both semirings and the one modulo a number, a and h₀ with any of the axes in any order. */
const linearScan: KernelCase = {
  name: "linearScan",
  make(next) {
    const sizes = smallSizes(next, "BTHK", 900);
    if (next() < 0.4) sizes.K = pick(next, [16, 17, 20, 35]);
    const order =
      next() < 0.6 ? (letters: string) => letters : (letters: string) => shuffled(next, letters);
    const result = order("BTHK");
    const [as, bs, starts] = [
      order(some(next, "BTHK", 0.7)),
      next() < 0.8 ? result : shuffled(next, result),
      next() < 0.8 ? result.replace("T", "") : order("BHK"),
    ];
    const kind = pick(next, ["plus-times", "max-plus", "modulus"] as const);
    const modulus = kind === "modulus" ? 6.25 : null;
    const semiring = kind === "max-plus" ? "max-plus" : "plus-times";
    const reverse = next() < 0.5;
    const a =
      kind === "modulus"
        ? build(as, sizes, () => Number(next() < 0.9))
        : floats(as, sizes, next, kind === "max-plus" ? -1 : -0.3, kind === "max-plus" ? 0.5 : 1);
    const b = floats(bs, sizes, next, -1, kind === "modulus" ? 2 : 1);
    const start = floats(starts, sizes, next, 0, 1);
    const expected = build(result, sizes, () => 0);
    const place = new Map([...indices(result, sizes)].map((index, i) => [keyOf(index), i]));
    for (const i of indices("BHK", sizes)) {
      let h = at(start, i);
      for (let step = 0; step < sizes.T!; step++) {
        const here = { ...i, T: reverse ? sizes.T! - 1 - step : step };
        const [at_, bt] = [at(a, here), at(b, here)];
        h = semiring === "max-plus" ? Math.max(at_ + h, bt) : at_ * h + bt;
        if (modulus !== null) h -= modulus * Math.floor(h / modulus);
        expected.data[place.get(keyOf(here))!] = h;
      }
    }
    const spec = `${as},${bs},${starts}->${result}`;
    return {
      title: `${spec} ${kind} ${reverse ? "reversed " : ""}${JSON.stringify(sizes)}`,
      inputs: [a, b, start],
      run: (k, given) =>
        k.linearScan(spec, "T", semiring, modulus, reverse, given[0]!, given[1]!, given[2]!),
      expected: [expected],
    };
  },
};

const keyOf = (index: Index): string => [..."BTHK"].map((letter) => index[letter]).join();

const adamw: KernelCase = {
  name: "adamw",
  make(next) {
    const sizes = smallSizes(next, "DF", 60);
    const options = {
      beta1: 0.9,
      beta2: pick(next, [0.95, 0.999]),
      epsilon: 1e-8,
      decay: pick(next, [0, 0.1]),
      rate: 0.01 * next(),
      step: 1 + Math.floor(next() * 50),
      scale: next(),
    };
    const [p, g, m] = [
      floats("DF", sizes, next),
      floats("DF", sizes, next),
      floats("DF", sizes, next),
    ] as const;
    const v = floats("DF", sizes, next, 0, 1);
    const { beta1, beta2, epsilon, decay, rate, step, scale } = options;
    const newM = build("DF", sizes, (i) => beta1 * at(m, i) + (1 - beta1) * at(g, i) * scale);
    const newV = build(
      "DF",
      sizes,
      (i) => beta2 * at(v, i) + (1 - beta2) * (at(g, i) * scale) ** 2,
    );
    const newP = build("DF", sizes, (i) => {
      const move =
        at(newM, i) /
        (1 - beta1 ** step) /
        (Math.sqrt(at(newV, i) / (1 - beta2 ** step)) + epsilon);
      return at(p, i) - rate * (move + decay * at(p, i));
    });
    return {
      title: JSON.stringify({ options, sizes }),
      inputs: [p, g, m, v],
      run: (k, given) => k.adamw(options, given[0]!, given[1]!, given[2]!, given[3]!),
      expected: [newP, newM, newV],
    };
  },
};

const muon: KernelCase = {
  name: "muon",
  make(next) {
    // rows H and columns DF or the other way round, in any order; B a matrix each
    const sizes = smallSizes(next, "BDFH", 200);
    const letters = shuffled(next, `${some(next, "B")}${some(next, "D")}FH`);
    const has = (one: string): boolean => letters.includes(one);
    const [rows, columns] = pick(next, ["H DF", "DF H"])
      .split(" ")
      .map((side) => [...side].filter(has)) as [string[], string[]];
    const matrix = { batch: [..."B"].filter(has), rows, columns };
    const axes = [...letters].map((name) => ({ name, size: sizes[name]! }));
    const options = {
      momentum: pick(next, [0.9, 0.95]),
      iterations: pick(next, [1, 5]),
      decay: pick(next, [0, 0.1]),
    };
    const [rate, scale] = [Math.fround(0.1 * next()), Math.fround(next())];
    const [p, g, m] = [0, 1, 2].map(() => floats(letters, sizes, next)) as [Named, Named, Named];
    const given = [p, build(letters, sizes, (i) => at(g, i) * scale), m].map(({ data }) =>
      tensor(axes, Float64Array.from(data)),
    );
    const expected = definitions.muon(
      { ...options, matrix },
      [...given, tensor([], Float64Array.of(rate))],
      [],
    );
    return {
      title: `${letters} ${JSON.stringify({ options, matrix, sizes })}`,
      inputs: [p, g, m],
      run: (k, [p, g, m]) => k.muon({ ...options, axes, matrix, rate, scale }, p!, g!, m!),
      expected: expected.map(({ data }) => ({ ...p, data: Float64Array.from(data) })),
    };
  },
};

export const sequenceCases: readonly KernelCase[] = [
  solve,
  conv,
  convInputGradient,
  convWeightGradient,
  scan,
  linearScan,
  adamw,
  muon,
];
