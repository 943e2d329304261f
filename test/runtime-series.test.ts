/** Series: tables that are read or refused, windows that know no future, baselines in closed form. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BatchStream, evaluationBatches } from "../runtime/data/batches.js";
import { openData } from "../runtime/data/open.node.js";
import { errorsOf, fitBaselines } from "../runtime/data/series/baselines.js";
import { parseCsv } from "../runtime/data/series/csv.js";
import { ErrorSum } from "../runtime/data/series/errors.js";
import { type OpenedSeries } from "../runtime/data/series/opened.js";
import { gramOf, ridge } from "../runtime/data/series/ridge.js";
import { readSeries, scalesOf } from "../runtime/data/series/series.js";
import type { SeriesData } from "../runtime/data/series/spec.js";
import { splitSeries } from "../runtime/data/series/split.js";
import { windowCount } from "../runtime/data/series/windows.js";
import { RandomStream } from "../runtime/random/stream.js";
import { forecastChart } from "../runtime/run/forecast-chart.js";
import { RunError } from "../runtime/run/errors.js";

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof RunError) return error.code;
    throw error;
  }
  return "none";
};

describe("a table", () => {
  const cell = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r\n", " ", "é", "1") });
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

  test("is read as it was written", () => {
    const table = fc.integer({ min: 1, max: 4 }).chain((width) =>
      fc.array(fc.array(cell, { minLength: width, maxLength: width }), {
        minLength: 1,
        maxLength: 6,
      }),
    );
    fc.assert(
      fc.property(table, fc.constantFrom("\n", "\r\n"), fc.boolean(), (rows, end, last) => {
        const kept = rows.filter((cells) => cells.length > 1 || cells[0]!.trim() !== "");
        fc.pre(kept.length > 0);
        const titles = rows[0]!.map((_, i) => `t${i}`);
        const text = [titles, ...rows].map((cells) => cells.map(quoted).join(",")).join(end);
        const read = parseCsv(`\uFEFF${text}${last ? end : ""}`, "t.csv");
        expect(read.titles).toEqual(titles);
        expect(read.columns).toEqual(titles.map((_, i) => kept.map((cells) => cells[i])));
      }),
    );
  });

  test("of any text is a table or a message", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), cell), (text) => {
        expect(codeOf(() => readSeries(text, null, "any.csv"))).toMatch(/^(none|csv-|series-)/);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ["", "csv-no-table"],
    ["a,b\n", "csv-no-table"],
    ["a,b\n1,2,3\n", "csv-uneven-row"],
    ["a,b\n1\n", "csv-uneven-row"],
    ["a,a\n1,2\n", "csv-bad-title"],
    ["1,2\n3,4\n", "csv-bad-title"],
    ['a,b\n"1,2\n3,4\n', "csv-bad-quote"],
    ['a,b\n"1"x,2\n', "csv-bad-quote"],
    [`a\n${"1".repeat(20_000)}\n`, "csv-bad-quote"],
    [`${"a,".repeat(20_000)}b\n`, "csv-no-table"],
    ["a,b\nx,y\n", "series-no-channel"],
    ["a,b\n1,2\n3,\n", "series-not-a-number"],
    ["a\n1\nNaN\n", "series-not-a-number"],
    ["a\n1\n0x10\n", "series-not-a-number"],
    ["a\n1\n1e300\n", "series-not-a-number"],
    ["__proto__,constructor\n1,2\n", "none"],
  ])("%j comes to %s", (text, code) => {
    expect(codeOf(() => readSeries(text, null, "t.csv"))).toBe(code);
  });

  test("names the line at fault", () => {
    expect(() => readSeries('day,x\n"one\ntwo",1\nthree,\n', null, "t.csv")).toThrow(
      'line 4 has no value in the column "x"',
    );
  });

  test("gives its columns of numbers, or those that are asked for", () => {
    const text = "day,x,y,note\n2020-01-01,1,-2.5,a\n2020-01-02,+2,3e1,b\n";
    const all = readSeries(text, null, "t.csv");
    expect(all).toMatchObject({ titles: ["x", "y"], skipped: ["day", "note"], length: 2 });
    expect(all.channels.map((values) => [...values])).toEqual([
      [1, 2],
      [-2.5, 30],
    ]);
    expect(readSeries(text, ["y"], "t.csv").titles).toEqual(["y"]);
    expect(codeOf(() => readSeries(text, ["z"], "t.csv"))).toBe("series-no-column");
    expect(codeOf(() => readSeries(text, ["note"], "t.csv"))).toBe("series-not-a-number");
  });
});

/** Channel c at time t is 1000 c + t, so that every value tells where it is from. */
const counting = (length: number, channels: number) => ({
  titles: Array.from({ length: channels }, (_, c) => `c${c}`),
  channels: Array.from({ length: channels }, (_, c) =>
    Float64Array.from({ length }, (_, t) => 1000 * c + t),
  ),
  length,
  skipped: [],
});

const spec = (changes: Partial<SeriesData>): SeriesData => ({
  kind: "series",
  csv: "t.csv",
  columns: null,
  split: [0.6, 0.2],
  lookback: 4,
  horizon: 2,
  channels: null,
  tokens: 2,
  ...changes,
});

describe("the parts of a series", () => {
  test("have every window whose horizon lies in them, and none that does not", () => {
    const sizes = fc.record({
      length: fc.integer({ min: 20, max: 60 }),
      lookback: fc.integer({ min: 1, max: 6 }),
      horizon: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(sizes, ({ length, lookback, horizon }) => {
        const parts = splitSeries(counting(length, 2), spec({ lookback, horizon }));
        const [learnt, chosen] = [Math.round(length * 0.6), Math.round(length * 0.8)];
        const starts = [parts.train, parts.validation, parts.test].map((part) =>
          part ? Array.from({ length: windowCount(part) / 2 }, (_, i) => part.from + i) : [],
        );
        const borders = [lookback, learnt, chosen, length];
        starts.forEach((own, i) => {
          const expected: number[] = [];
          for (let t = borders[i]!; t + horizon <= borders[i + 1]!; t++) expected.push(t);
          expect(own).toEqual(expected);
        });
      }),
    );
  });

  test("are standardised by the first alone", () => {
    const series = counting(50, 2);
    const { scales } = splitSeries(series, spec({}));
    expect(scales).toEqual(scalesOf({ channels: series.channels.map((c) => c.slice(0, 30)) }, 30));
    expect(scales[1]!.mean).toBeCloseTo(1014.5, 12);
    expect(scales[1]!.deviation).toBeCloseTo(Math.sqrt((30 ** 2 - 1) / 12), 12);
    expect(scalesOf({ channels: [Float64Array.of(3, 3, 3)] }, 3)).toEqual([
      { mean: 3, deviation: 1 },
    ]);
  });

  test("are refused where they are too short, or have other channels than the model", () => {
    expect(codeOf(() => splitSeries(counting(9, 1), spec({})))).toBe("data-too-short");
    expect(codeOf(() => splitSeries(counting(50, 2), spec({ channels: 3 })))).toBe(
      "series-channels",
    );
    expect(splitSeries(counting(12, 1), spec({ split: [0.9, 0.05] })).test).toBeNull();
  });
});

describe("batches of windows", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "lsm-series-"));
    const rows = Array.from({ length: 50 }, (_, t) => `${t},${1000 + t},x`);
    await writeFile(join(folder, "t.csv"), ["a,b,note", ...rows].join("\n"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const open = async (changes: Partial<SeriesData>, seed = 1): Promise<OpenedSeries> => {
    const data = await openData(spec(changes), folder, seed);
    if (data.kind !== "series") throw new Error(data.kind);
    return data;
  };
  /** The points in time of a batch's rows, from values that count them. */
  const times = ({ scales }: OpenedSeries, values: Float32Array, channels: number): number[] =>
    [...values].map((value, i) => {
      const { mean, deviation } = scales[i % channels]!;
      return Math.round(value * deviation + mean);
    });

  test("hold what follows what, channel by channel or side by side", async () => {
    const together = await open({ channels: 2 });
    const batch = together.train.read(0, 3, 3, false);
    const past = times(together, batch.series, 2);
    const next = times(together, batch.future, 2);
    for (let r = 0; r < 3; r++) {
      const start = past[r * 8]!;
      expect(past.slice(r * 8, r * 8 + 8)).toEqual(
        [0, 1, 2, 3].flatMap((t) => [start + t, 1000 + start + t]),
      );
      expect(next.slice(r * 4, r * 4 + 4)).toEqual(
        [4, 5].flatMap((t) => [start + t, 1000 + start + t]),
      );
      expect(start + 5).toBeLessThan(30);
    }
    expect(batch.shapes).toEqual({ series: [4, 2], future: [2, 2] });
    const alone = await open({});
    const rows = alone.test!.read(0, 2, 2, true);
    expect([...rows.series]).not.toContain(NaN);
    const values = [0, 1].map((r) => {
      const { mean, deviation } = alone.scales[r]!;
      return [...rows.series.slice(4 * r, 4 * r + 4), ...rows.future.slice(2 * r, 2 * r + 2)].map(
        (x) => Math.round(x * deviation + mean),
      );
    });
    expect(values).toEqual([0, 1000].map((c) => [36, 37, 38, 39, 40, 41].map((t) => c + t)));
  });

  test("come in an order that the seed decides, each window once an epoch, and go on from any place", async () => {
    const data = await open({});
    const count = data.train.rowsPerEpoch;
    expect(count).toBe(2 * (30 - 4 - 2 + 1));
    const firsts = (opened: OpenedSeries, rows: number, from = 0): string[] => {
      const { series } = new BatchStream(opened.train, rows, from).next();
      return Array.from({ length: rows }, (_, r) =>
        [...series.subarray(4 * r, 4 * r + 4)].map((x) => x.toFixed(3)).join(),
      );
    };
    const epoch = firsts(data, count);
    expect(new Set(epoch).size).toBe(count / 2); // both channels are one once they are standardised
    expect([...firsts(data, count, count)].sort()).toEqual([...epoch].sort());
    expect(firsts(data, count, count)).not.toEqual(epoch);
    expect(firsts(await open({}), count)).toEqual(epoch);
    expect(firsts(await open({}, 2), count)).not.toEqual(epoch);
    expect(firsts(data, 7, 5)).toEqual(epoch.slice(5, 12));
  });

  test("count each window once where it is measured", async () => {
    const { validation } = await open({});
    const batches = [...evaluationBatches(validation!, 4)];
    const weight = batches.reduce((sum, { weights }) => sum + weights!.reduce((a, b) => a + b), 0);
    expect(weight).toBe(validation!.rowsPerEpoch);
    expect(batches.at(-1)!.weights!.length).toBe(4);
  });

  test("name a missing file and one that is no table", async () => {
    await expect(open({ csv: "none.csv" })).rejects.toThrow("there is no such file");
    await expect(open({ csv: "npm:no-such-package-here" })).rejects.toThrow("not installed");
    await writeFile(join(folder, "zero.csv"), Uint8Array.of(97, 0, 98));
    await expect(open({ csv: "zero.csv" })).rejects.toThrow("this is not text");
    await expect(open({ csv: "*.csv" })).rejects.toThrow("a series is one table");
  });
});

describe("baselines", () => {
  test("least squares are those of the normal equations", () => {
    const random = new RandomStream(1, "ridge");
    const rows = Array.from({ length: 40 }, () => ({
      x: Array.from({ length: 5 }, () => random.normal()),
      y: Array.from({ length: 3 }, () => random.normal()),
    }));
    const gram = gramOf(5, 3, (add) => rows.forEach(({ x, y }) => add(x, y)));
    const w = ridge(gram, 0.7);
    // the gradient of Σ ‖xW − y‖² + λ‖W‖² is zero
    for (let i = 0; i < 5; i++)
      for (let t = 0; t < 3; t++) {
        const slope = rows.reduce(
          (sum, { x, y }) => {
            const made = x.reduce((total, value, j) => total + value * w[j * 3 + t]!, 0);
            return sum + x[i]! * (made - y[t]!);
          },
          0.7 * w[i * 3 + t]!,
        );
        expect(Math.abs(slope)).toBeLessThan(1e-9);
      }
  });

  test("a linear map foretells what is linear, where the last value does not", () => {
    const wave = Float64Array.from(
      { length: 400 },
      (_, t) => Math.sin(t / 5) + 0.3 * Math.cos(t / 3),
    );
    const series = { titles: ["x"], channels: [wave], length: 400, skipped: [] };
    const parts = splitSeries(series, spec({ lookback: 12, horizon: 6 }));
    const { linear, repeat } = fitBaselines(parts);
    expect(errorsOf(parts.test!, linear).mse).toBeLessThan(1e-4);
    expect(errorsOf(parts.test!, repeat).mse).toBeGreaterThan(0.3);
    expect([...Array.from(repeat(Float32Array.of(1, 2, 3)))]).toEqual([3, 3, 3, 3, 3, 3]);
  });

  test("errors are means over all values", () => {
    const sum = new ErrorSum();
    sum.add([1, 2], [0, 4]);
    sum.add([5], [5]);
    expect(sum.mean).toEqual({ mse: 5 / 3, mae: 1 });
    expect(new ErrorSum().mean.mse).toBeNaN();
  });
});

describe("forecast.svg", () => {
  test("is well-formed whatever is in it", () => {
    const values = fc.array(
      fc.oneof(fc.double(), fc.double({ min: -1e6, max: 1e6, noNaN: true })),
      { maxLength: 12 },
    );
    const channel = fc.record({
      title: fc.string({ unit: "binary" }),
      past: values,
      truth: values,
      forecast: values,
      linear: values,
    });
    const chart = fc.record({
      title: fc.string({ unit: "binary" }),
      channels: fc.array(channel, { maxLength: 4 }),
    });
    fc.assert(
      fc.property(chart, (drawn) => {
        const svg = forecastChart(drawn);
        expect(svg).not.toMatch(/NaN|Infinity|undefined/);
        expect(svg.match(/<(text|title|desc|style)\b/g)).toHaveLength(
          svg.match(/<\/(text|title|desc|style)>/g)!.length,
        );
      }),
      { numRuns: 200 },
    );
  });
});
