import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lossChart } from "../runtime/run/loss-chart.js";
import { type Point, smooth, thin } from "../runtime/run/series.js";
import { niceTicks } from "../runtime/run/ticks.js";

/** The names of all elements, after checking that tags nest, attributes are quoted and marks are escaped. */
function elements(xml: string): string[] {
  const names: string[] = [];
  const open: string[] = [];
  const rest = xml.replace(
    /<(\/?)([a-zA-Z]+)((?:\s+[a-zA-Z0-9:-]+="[^"<&]*")*)\s*(\/?)>/g,
    (_, close: string, name: string, __, empty: string) => {
      if (close) expect(open.pop()).toBe(name);
      else names.push(name);
      if (!close && !empty) open.push(name);
      return "";
    },
  );
  expect(open).toEqual([]);
  expect(rest.replace(/&#\d+;/g, "")).not.toMatch(/[<&]/);
  expect(xml).not.toMatch(/NaN|Infinity|undefined|\p{Surrogate}|[\u0000-\u0008]/u);
  return names;
}

const value = fc.oneof(fc.double(), fc.double({ min: 0, max: 8, noNaN: true }));
const points = fc
  .array(value, { maxLength: 60 })
  .map((values) => values.map((v, i): Point => [i + 1, v]));
const bounded = fc
  .array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { maxLength: 60 })
  .map((v) => v.map((y, i): Point => [i + 1, y + 0]));

describe("loss.svg", () => {
  test("is well-formed whatever is in it", () => {
    const baselines = fc.array(fc.record({ name: fc.string({ unit: "binary" }), loss: value }), {
      maxLength: 3,
    });
    const chart = fc.record({
      title: fc.string({ unit: "binary" }),
      training: fc.oneof(points, bounded),
      heldOut: points,
      baselines,
      unit: fc.string({ unit: "binary" }),
    });
    fc.assert(
      fc.property(chart, (chart) => void expect(elements(lossChart(chart))).toContain("title")),
      { numRuns: 300 },
    );
  });

  const moby = lossChart({
    title: "moby <1 M>",
    training: Array.from({ length: 2000 }, (_, i): Point => [i + 1, 2 + 3 * Math.exp(-i / 100)]),
    heldOut: [
      [1000, 2.1],
      [2000, 2.05],
    ],
    baselines: [
      { name: "bigram model", loss: 2.44 },
      { name: "unigram model", loss: 3.07 },
    ],
    unit: "nats per token",
  });

  test("says in words what it shows", () => {
    expect(moby).toContain('role="img" aria-labelledby="loss-title loss-desc"');
    expect(moby).toContain("Loss of moby &#60;1 M&#62;");
    expect(moby).toContain(
      "over 2000 steps. It begins at 5.000. Last values: training, smoothed 2.000; held out 2.050; bigram model 2.440; unigram model 3.070.",
    );
    expect(moby).toContain("prefers-color-scheme: dark");
    expect(moby.length).toBeLessThan(40_000);
  });

  test("no two labels cover each other", () => {
    const boxes = [
      ...moby.matchAll(/<text x="([\d.]+)" y="([\d.]+)"(?: text-anchor="(\w+)")?>([^<]*)</g),
    ].map(([, x, y, anchor, text]) => {
      const width = text!.length * 7.2;
      const left = Number(x) - (anchor === "end" ? width : anchor === "middle" ? width / 2 : 0);
      return { left, right: left + width, top: Number(y) - 11, bottom: Number(y) + 3, text };
    });
    expect(boxes.length).toBeGreaterThan(12);
    boxes.forEach((a, i) =>
      boxes.slice(i + 1).forEach((b) => {
        const apart =
          a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
        expect(apart, `${a.text} and ${b.text}`).toBe(true);
      }),
    );
  });
});

describe("ticks", () => {
  test("are round, few, inside and told apart by their labels", () => {
    const ends = fc.tuple(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
    );
    fc.assert(
      fc.property(ends, fc.integer({ min: 4, max: 10 }), ([low, span], count) => {
        const { values, label } = niceTicks(low, low + span, count);
        expect(values.length).toBeLessThanOrEqual(count + 1);
        for (const v of values)
          expect(v >= low - span * 1e-6 && v <= low + span * (1 + 1e-6)).toBe(true);
        expect(values.length).toBeGreaterThanOrEqual(1);
        if (Math.abs(low) < 1e4 && span < 1e4 && span > Math.abs(low) * 1e-3)
          expect(new Set(values.map(label)).size).toBe(values.length);
      }),
    );
    const labels = (low: number, high: number, count: number, least = 0) => {
      const { values, label } = niceTicks(low, high, count, least);
      return values.map(label);
    };
    expect(labels(1.3, 5.7, 5)).toEqual(["2", "3", "4", "5"]);
    expect(labels(0, 30000, 4)).toEqual(["0", "10k", "20k", "30k"]);
    expect(labels(0, 3, 8, 1)).toEqual(["0", "1", "2", "3"]);
    expect(labels(2.34, 2.36, 4)).toEqual(["2.340", "2.345", "2.350", "2.355", "2.360"]);
  });
});

test("smoothing keeps a level and stays between the extremes; thinning keeps the extremes", () => {
  fc.assert(
    fc.property(bounded, fc.integer({ min: 1, max: 30 }), (given, window) => {
      const values = given.map(([, v]) => v);
      for (const [, v] of smooth(given, window)) {
        expect(v).toBeGreaterThanOrEqual(Math.min(...values) - 1e-3);
        expect(v).toBeLessThanOrEqual(Math.max(...values) + 1e-3);
      }
      const few = thin(given, window);
      expect(few.length).toBeLessThanOrEqual(window + 2);
      if (given.length > 0)
        expect([Math.min(...few.map(([, v]) => v)), Math.max(...few.map(([, v]) => v))]).toEqual([
          Math.min(...values),
          Math.max(...values),
        ]);
      expect([...few].sort((a, b) => a[0] - b[0])).toEqual(few);
    }),
  );
});
