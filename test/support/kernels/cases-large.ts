/**
 * Calls large enough for tiles, parts of reductions, long rows and packed inputs: what the random cases, which are
 * tiny, do not reach.
 */

import { floats, whole } from "./arbitrary.js";
import type { KernelCase } from "./case.js";
import { accumulate, at, build } from "./named.js";
import { referenceMap } from "./cases-map.js";
import type { MapKernel } from "../../../runtime/tfjs/kernel-set.js";

function dot(spec: string, sizes: Record<string, number>): KernelCase {
  const [first, second, result] = spec.split(/,|->/) as [string, string, string];
  return {
    name: `dot ${spec} ${JSON.stringify(sizes)}`,
    make(next) {
      const [a, b] = [floats(first, sizes, next), floats(second, sizes, next)];
      const loop = [...new Set(first + second)].join("");
      return {
        title: spec,
        inputs: [a, b],
        run: (k, given) => k.dot(spec, given[0]!, given[1]!),
        expected: [accumulate(loop, result, sizes, (i) => at(a, i) * at(b, i))],
        tolerance: 1e-5,
      };
    },
  };
}

function reduction(spec: string, sizes: Record<string, number>, fn: "sum" | "max"): KernelCase {
  const [letters, result] = spec.split("->") as [string, string];
  return {
    name: `${fn} ${spec} ${JSON.stringify(sizes)}`,
    make(next) {
      const x = floats(letters, sizes, next, 0, 1);
      return {
        title: spec,
        inputs: [x],
        run: (k, given) => k[fn](spec, given[0]!),
        expected: [accumulate(letters, result, sizes, (i) => at(x, i), fn)],
        tolerance: 1e-6,
      };
    },
  };
}

function cumulate(letters: string, axis: number, reverse: boolean, exclusive: boolean): KernelCase {
  const sizes = { A: 2, T: 600, C: 3 };
  return {
    name: `cumulate ${letters} ${String(reverse)} ${String(exclusive)}`,
    make(next) {
      const x = floats(letters, sizes, next);
      const y = build(letters, sizes, () => 0);
      for (const [rest, step] of rows(letters, axis, sizes)) {
        let total = 0;
        for (let t = 0; t < sizes.T; t++) {
          const place = rest + (reverse ? sizes.T - 1 - t : t) * step;
          if (exclusive) y.data[place] = total;
          total += x.data[place]!;
          if (!exclusive) y.data[place] = total;
        }
      }
      return {
        title: letters,
        inputs: [x],
        run: (k, given) => k.cumulate(given[0]!, "sum", axis, reverse, exclusive),
        expected: [y],
      };
    },
  };
}

/** Where every row along the axis begins, and its stride. */
function rows(letters: string, axis: number, sizes: Record<string, number>): [number, number][] {
  const shape = [...letters].map((letter) => sizes[letter]!);
  const step = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const before = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  return Array.from({ length: before * step }, (_, i) => [
    Math.floor(i / step) * step * shape[axis]! + (i % step),
    step,
  ]);
}

const putMany: KernelCase = {
  name: "put of many ids",
  make(next) {
    const sizes = { B: 2, T: 90, H: 3, D: 5, V: 7 };
    const ids = whole("BHT", sizes, next, 7);
    const values = floats("BTHD", sizes, next);
    return {
      title: "",
      inputs: [ids, values],
      run: (k, given) => k.put("BHT,BTHD->HVD", "V", 7, given[0]!, given[1]!),
      expected: [
        accumulate("BTHDV", "HVD", sizes, (i) => (at(ids, i) === i.V ? at(values, i) : 0)),
      ],
    };
  },
};

const grouped = (sorted: boolean): KernelCase => ({
  name: `grouped, ${sorted ? "sorted" : "in any order"}`,
  make(next) {
    const sizes = { B: 2, S: 300, E: 5, D: 40, F: 35 };
    const drawn = whole("BS", sizes, next, 5);
    const ids = sorted ? { ...drawn, data: drawn.data.slice().sort() } : drawn;
    const [x, w, y] = [
      floats("BSD", sizes, next),
      floats("EFD", sizes, next),
      floats("BFS", sizes, next),
    ];
    return {
      title: "",
      inputs: [x, w, y, ids],
      run: (k, [a, b, c, d]) => [
        k.groupedDot("BSD,EFD,BS->BSF", "E", a!, b!, d!),
        k.groupedOuter("BSD,BFS,BS->EDF", "E", 5, a!, c!, d!),
      ],
      expected: [
        accumulate("BSDF", "BSF", sizes, (i) => at(x, i) * at(w, { ...i, E: at(ids, i) })),
        outer(sizes),
      ],
    };

    function outer(all: Record<string, number>) {
      const result = build("EDF", all, () => 0);
      for (let b = 0; b < 2; b++)
        for (let s = 0; s < 300; s++)
          for (let d = 0; d < 40; d++)
            for (let f = 0; f < 35; f++) {
              const i = { B: b, S: s, D: d, F: f };
              result.data[(at(ids, i) * 40 + d) * 35 + f]! += at(x, i) * at(y, i);
            }
      return result;
    }
  },
});

/** More inputs than a shader may have, some of them one tensor, some of them whole numbers. */
const manyInputs: KernelCase = {
  name: "map of 16 inputs",
  make(next) {
    const sizes = { A: 5, B: 70 };
    const own = Array.from({ length: 15 }, (_, i) =>
      i % 5 === 3 ? whole("B", sizes, next, 9) : floats(i % 2 === 0 ? "AB" : "BA", sizes, next),
    );
    const inputs = [...own, own[2]!];
    const code: MapKernel["code"][number][] = [
      { fn: "stop", arguments: [{ kind: "input", index: 0 }] },
    ];
    for (let i = 1; i < inputs.length; i++)
      code.push({
        fn: i % 3 === 0 ? "sub" : "add",
        arguments: [
          { kind: "value", index: i - 1 },
          { kind: "input", index: i },
        ],
      });
    const kernel: MapKernel = {
      inputs: inputs.map(({ letters }) => letters),
      output: "A",
      reduce: "sum",
      code,
    };
    return {
      title: "",
      inputs: own,
      run: (k, given) => k.map(kernel, [...given, given[2]!], {}),
      expected: [referenceMap(kernel, inputs, sizes)],
    };
  },
};

const longConcat: KernelCase = {
  name: "concat of 9",
  make(next) {
    const parts = Array.from({ length: 9 }, (_, i) =>
      floats("ABC", { A: 3, B: i + 1, C: 4 }, next),
    );
    const starts = parts.map((_, i) => (i * (i + 1)) / 2);
    const from = (b: number) => starts.findLastIndex((start) => start <= b);
    return {
      title: "",
      inputs: parts,
      run: (k, given) => k.concat(given, 1),
      expected: [
        build("ABC", { A: 3, B: 45, C: 4 }, (i) =>
          at(parts[from(i.B!)]!, { ...i, B: i.B! - starts[from(i.B!)]! }),
        ),
      ],
      tolerance: 0,
    };
  },
};

export const largeCases: readonly KernelCase[] = [
  dot("MK,KN->MN", { M: 45, N: 37, K: 70 }),
  dot("KM,NK->NM", { M: 33, N: 65, K: 33 }),
  dot("BKHM,BNKH->HNM", { B: 20, K: 31, H: 2, M: 9, N: 40 }), // in parts
  dot("BMK,BKN->BMN", { B: 33, M: 65, N: 66, K: 5 }),
  dot("BMK,BKN->MBN", { B: 33, M: 65, N: 66, K: 9 }), // large tiles
  dot("K,KN->N", { K: 300, N: 40 }),
  dot("MK,NK->NM", { M: 3, N: 50, K: 120 }),
  reduction("ABC->C", { A: 3, B: 700, C: 37 }, "sum"),
  reduction("ABC->AB", { A: 3, B: 37, C: 900 }, "sum"),
  reduction("ABC->CA", { A: 4, B: 129, C: 19 }, "sum"),
  reduction("ABC->", { A: 10, B: 100, C: 51 }, "sum"),
  reduction("ABC->B", { A: 70, B: 9, C: 70 }, "max"),
  reduction("AB->B", { A: 2000, B: 3 }, "max"),
  cumulate("ATC", 1, false, false),
  cumulate("ATC", 1, true, true),
  cumulate("CAT", 2, false, true),
  putMany,
  grouped(true),
  grouped(false),
  manyInputs,
  longConcat,
];
