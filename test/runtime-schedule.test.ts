import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RandomStream } from "../runtime/random/stream.js";
import { RunError } from "../runtime/run/errors.js";
import { sample } from "../runtime/run/sample.js";
import { learningRate, type Schedule } from "../runtime/run/schedule.js";

describe("schedules", () => {
  const rates = (schedule: Schedule, steps: number, of: readonly number[]) =>
    of.map((step) => Number(learningRate(schedule, 1, step, steps).toFixed(4)));

  test("values at the corners", () => {
    expect(rates({ kind: "constant" }, 10, [0, 9, 99])).toEqual([1, 1, 1]);
    expect(rates({ kind: "constant", warmup: 4 }, 10, [0, 3, 4, 9])).toEqual([0.2, 0.8, 1, 1]);
    expect(rates({ kind: "linear", warmup: 1, floor: 0.2 }, 5, [0, 1, 3, 5, 50])).toEqual([
      0.5, 1, 0.6, 0.2, 0.2,
    ]);
    expect(rates({ kind: "cosine", warmup: 0, floor: 0.2 }, 10, [0, 5, 10, 50])).toEqual([
      1, 0.6, 0.2, 0.2,
    ]);
    expect(rates({ kind: "cosine", warmup: 1, floor: 0 }, 5, [0, 1, 3, 5])).toEqual([
      0.5, 1, 0.5, 0,
    ]);
    expect(rates({ kind: "wsd", warmup: 1, decay: 4, floor: 0.2 }, 10, [0, 1, 6, 8, 10])).toEqual([
      0.5, 1, 1, 0.6, 0.2,
    ]);
    expect(rates({ kind: "cosine", warmup: 20, floor: 0 }, 10, [9, 20])).toEqual([0.4762, 0]);
  });

  test("never above the peak, above zero in warm-up, and falling afterwards", () => {
    const schedule = fc.record({
      kind: fc.constantFrom("linear" as const, "cosine" as const, "wsd" as const),
      warmup: fc.nat(30),
      decay: fc.nat(30),
      floor: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(schedule, fc.integer({ min: 1, max: 60 }), (schedule, steps) => {
        let before = 0;
        for (let step = 0; step < steps; step++) {
          const rate = learningRate(schedule, 1, step, steps);
          expect(rate).toBeGreaterThanOrEqual(0);
          expect(rate).toBeLessThanOrEqual(1 + 1e-12);
          if (step < schedule.warmup) expect(rate).toBeGreaterThan(before);
          else if (step > schedule.warmup) expect(rate).toBeLessThanOrEqual(before + 1e-12);
          before = rate;
        }
      }),
    );
  });
});

describe("sampling", () => {
  const random = () => new RandomStream(1, "sample");
  const logits = Float32Array.of(0, 2, 2, -1, -Infinity);

  test("temperature 0 is greedy, takes the lowest of equals, and draws nothing", () => {
    const stream = random();
    expect(sample(logits, { temperature: 0 }, stream)).toBe(1);
    expect(stream.state.drawn).toBe(0);
  });

  test("frequencies are the softmax's", () => {
    const stream = random();
    const found = new Float64Array(5);
    for (let i = 0; i < 20000; i++) found[sample(logits, { temperature: 2 }, stream)]! += 1 / 20000;
    const shares = [0, 2, 2, -1].map((logit) => Math.exp(logit / 2));
    const sum = shares.reduce((a, b) => a + b);
    shares.forEach((share, id) => expect(found[id]).toBeCloseTo(share / sum, 1.5));
    expect(found[4]).toBe(0);
    expect(stream.state.drawn).toBe(20000);
  });

  test("top-k keeps the likeliest, and top-1 is greedy", () => {
    const stream = random();
    const seen = new Set(
      Array.from({ length: 200 }, () => sample(logits, { topK: 2, temperature: 5 }, stream)),
    );
    expect([...seen].sort()).toEqual([1, 2]);
    expect(sample(logits, { topK: 1 }, stream)).toBe(1);
    expect(sample(logits, { topK: 99 }, stream)).toBeLessThan(4);
  });

  test("what cannot be sampled is a RunError", () => {
    expect(() => sample(Float32Array.of(1, NaN), {}, random())).toThrow(/token 1 is not a number/);
    expect(() => sample(Float32Array.of(-Infinity), {}, random())).toThrow(RunError);
    expect(() => sample(logits, { temperature: -1 }, random())).toThrow(RunError);
    expect(() => sample(logits, { topK: 0 }, random())).toThrow(RunError);
  });
});
