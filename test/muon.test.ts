/** Muon: which parameters it trains, and that the definition does what its paper says. How backends do it: the kernels' and models' own tests. */

import { describe, expect, it } from "vitest";
import { kernels } from "../runtime/interpret/ops.js";
import { tensor } from "../runtime/interpret/tensor.js";
import { RandomStream } from "../runtime/random/stream.js";
import { modelOf, parametersOf } from "./support/models/instance.js";

const source = `
/// Products of every kind, and what looks like one.
layer Kinds(x: [width], heads = 2, experts = 3) {
  q = linear(x, [heads, key: 3])
  own = linear(q, [value: 2], per: heads)
  state h: [width]
  h <- tanh(linear(h, [width]) + x)
  scaled = param([width, other: 5], normal(0.1)) * 2
  used = dot(x, scaled, width)
  vector = linear(x, [one: 1])
  taps = conv(x, 3)
  route r = top_k(softmax(linear(x, [experts]), experts), 2, normalise: true)
  routed = mix e in r { linear(x, [width]) }
  linear(own, [width]) + linear(h, [width]) + linear(used, [width]) + linear(vector, [width]) + taps + routed
}

model Tiny {
  language_model(vocab: 5, width: 4, blocks: [Kinds()])
}
`;

describe("the parameters that Muon trains", () => {
  const found = new Map(
    parametersOf(modelOf(source)).map(({ path, matrix }) => [path, matrix] as const),
  );
  const of = (path: string): unknown => {
    expect([...found.keys()]).toContain(path);
    return found.get(path);
  };

  it("are matrices of products, per expert and per head where these have their own", () => {
    const shown = [...found].flatMap(([path, matrix]) => {
      if (!matrix) return [];
      const [batch, rows, columns] = [matrix.batch, matrix.rows, matrix.columns].map((x) =>
        x.join(" "),
      );
      return [`${path}: ${batch && `${batch}, `}${rows} → ${columns}`];
    });
    expect(shown.join("\n")).toMatchInlineSnapshot(`
      "blocks.0.q.weight: width' → heads key
      blocks.0.own.weight: heads, key' → value
      blocks.0.h.linear.weight: width' → width
      blocks.0.r.linear.weight: width' → experts
      blocks.0.routed.weight: experts, width' → width
      blocks.0.linear.weight: heads' value' → width
      blocks.0.linear_2.weight: width' → width
      blocks.0.linear_3.weight: other' → width"
    `);
  });

  it("are no tables, heads, vectors, taps, or weights that something else is done with", () => {
    for (const path of ["table", "logits.weight", "norm.weight"]) expect(of(path)).toBeNull();
  });

  it("are not those of a table that is also the head, nor of a forecast's head", () => {
    const tied = parametersOf(
      modelOf(
        `model Tied { language_model(vocab: 5, width: 4, blocks: [swiglu(hidden: 8)], tied: true) }`,
      ),
    );
    expect(tied.filter(({ matrix }) => matrix).map(({ path }) => path)).toEqual([
      "blocks.0.gate.weight",
      "blocks.0.up.weight",
      "blocks.0.down.weight",
    ]);
    const forecast = parametersOf(
      modelOf(`model Ahead { forecast(linear(patches(series(8), 4), [width: 4]), 3) }`),
    );
    expect(forecast.filter(({ matrix }) => matrix).map(({ path }) => path)).toEqual([
      "linear.weight",
    ]);
  });
});

describe("the definition of Muon", () => {
  const random = new RandomStream(3, "muon");
  const [rows, columns] = [5, 12];
  const axes = [
    { name: "rows", size: rows },
    { name: "columns", size: columns },
  ];
  const draw = () =>
    tensor(
      axes,
      Float64Array.from({ length: rows * columns }, () => random.normal()),
    );
  const matrix = { batch: [], rows: ["rows"], columns: ["columns"] };
  const rate = tensor([], Float64Array.of(0.1));

  it("brings every singular value of the update near 1, and leaves the singular vectors", () => {
    const zero = tensor(axes);
    const g = draw();
    const options = { momentum: 0, iterations: 5, decay: 0, matrix };
    const [p] = kernels.muon(options, [zero, g, zero, rate], []);
    const scale = -0.1 * 0.2 * Math.sqrt(columns);
    const X = Array.from({ length: rows }, (_, i) =>
      Array.from({ length: columns }, (_, j) => p!.data[i * columns + j]! / scale),
    );
    const G = Array.from({ length: rows }, (_, i) =>
      Array.from({ length: columns }, (_, j) => g.data[i * columns + j]!),
    );
    const inner = (a: number[][], b: number[][]): number[][] =>
      a.map((x) => b.map((y) => x.reduce((sum, one, k) => sum + one * y[k]!, 0)));
    const [gram, cross] = [inner(X, X), inner(X, G)];
    // between the squares of 0.67 and 1.21, where five iterations end (Jordan et al., 2024)
    const trace = gram.reduce((sum, row, i) => sum + row[i]!, 0) / rows;
    expect(trace).toBeGreaterThan(0.67 ** 2);
    expect(trace).toBeLessThan(1.21 ** 2);
    for (let i = 0; i < rows; i += 1)
      for (let j = 0; j < i; j += 1) {
        expect(Math.abs(gram[i]![j]!)).toBeLessThan(0.5);
        // X Gᵀ is symmetric only where both have the same singular vectors
        expect(cross[i]![j]!).toBeCloseTo(cross[j]![i]!, 10);
      }
  });

  it("is the same for a matrix and its transpose, and for any scale of the gradient", () => {
    const [p, g, m] = [draw(), draw(), draw()];
    const options = { momentum: 0.95, iterations: 5, decay: 0.1 };
    const one = kernels.muon({ ...options, matrix }, [p, g, m, rate], []);
    const turned = { batch: [], rows: ["columns"], columns: ["rows"] };
    const other = kernels.muon({ ...options, matrix: turned }, [p, g, m, rate], []);
    one[0]!.data.forEach((x, i) => expect(other[0]!.data[i]!).toBeCloseTo(x, 12));
    const larger = [g, m].map(({ data }) =>
      tensor(
        axes,
        data.map((x) => 1000 * x),
      ),
    );
    const scaled = kernels.muon({ ...options, matrix }, [p, ...larger, rate], []);
    one[0]!.data.forEach((x, i) => expect(scaled[0]!.data[i]!).toBeCloseTo(x, 7));
  });
});
