import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashName } from "../runtime/random/hash.js";
import { philox4x32 } from "../runtime/random/philox.js";
import { RandomStream } from "../runtime/random/stream.js";
import { RunError } from "../runtime/run/errors.js";

function philox(counter: number[], key: number[]): string {
  const out = new Uint32Array(4);
  philox4x32(counter, key, out);
  return [...out].map((word) => word.toString(16).padStart(8, "0")).join(" ");
}

describe("philox4x32-10 gives Random123's known answers", () => {
  test.each([
    [[0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    [Array(4).fill(0xffffffff), Array(2).fill(0xffffffff), "408f276d 41c83b0e a20bc7c6 6d5451fd"],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      "d16cfe09 94fdcceb 5001e420 24126ea1",
    ],
  ])("%j under %j", (counter, key, expected) => {
    expect(philox(counter as number[], key as number[])).toBe(expected);
  });

  test("a typed counter gives the same words as a plain one", () => {
    const words = [0xdeadbeef, 0xffffffff, 0x80000000, 1];
    const out = new Uint32Array(4);
    philox4x32(Uint32Array.from(words), [0x80000001, 7], out);
    expect([...out].map((w) => w.toString(16).padStart(8, "0")).join(" ")).toBe(
      philox(words, [0x80000001, 7]),
    );
  });
});

test("the name's hash is FNV-1a of 64 bits", () => {
  const hex = (name: string) => {
    const [low, high] = hashName(name);
    return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
  };
  expect(hex("")).toBe("cbf29ce484222325");
  expect(hex("a")).toBe("af63dc4c8601ec8c");
  expect(hex("foobar")).toBe("85944171f73967e8");
});

describe("streams", () => {
  test("pinned first draws, which every target must give", () => {
    const stream = new RandomStream(42, "init/blocks.0.mixer.q.weight");
    expect(Array.from({ length: 5 }, () => stream.word())).toMatchInlineSnapshot(`
      [
        2502951913,
        1113638914,
        314957074,
        2257115690,
        2626468691,
      ]
    `);
    expect([stream.uniform(), stream.normal(), stream.integer(1000)]).toMatchInlineSnapshot(`
      [
        0.06175875663757324,
        0.30455878376960754,
        593,
      ]
    `);
    expect([...new RandomStream(42, "data").permutation(8)]).toMatchInlineSnapshot(`
      [
        6,
        3,
        7,
        0,
        4,
        1,
        5,
        2,
      ]
    `);
  });

  test("a stream taken up from its state goes on as the uninterrupted one", () => {
    fc.assert(
      fc.property(fc.nat(), fc.string(), fc.nat(50), (seed, name, skip) => {
        const whole = new RandomStream(seed, name);
        for (let i = 0; i < skip; i++) whole.word();
        const resumed = RandomStream.from(JSON.parse(JSON.stringify(whole.state)));
        for (let i = 0; i < 9; i++) expect(resumed.word()).toBe(whole.word());
      }),
    );
  });

  test("counters carry past 2^32 blocks, and a 53-bit seed keeps its high word", () => {
    const far = RandomStream.from({ key: [1, 3], stream: [5, 7], drawn: 2 ** 34 + 2 });
    expect(far.word().toString(16).padStart(8, "0")).toBe(
      philox([0, 1, 5, 7], [1, 3]).split(" ")[2],
    );
    expect(new RandomStream(3 * 2 ** 32 + 1, "x").state.key).toEqual([1, 3]);
  });

  test("moments of 200 000 draws", () => {
    const n = 200_000;
    const stream = new RandomStream(7, "moments");
    const uniforms = Float64Array.from({ length: n }, () => stream.uniform());
    const normals = Float64Array.from({ length: n }, () => stream.normal());
    const mean = (a: Float64Array, power: number) => a.reduce((sum, x) => sum + x ** power, 0) / n;
    expect(mean(uniforms, 1)).toBeCloseTo(0.5, 2);
    expect(mean(normals, 1)).toBeCloseTo(0, 2);
    expect(mean(normals, 2)).toBeCloseTo(1, 1);
    expect(mean(normals, 4)).toBeCloseTo(3, 0);
    expect(uniforms.every((x) => x >= 0 && x < 1 && Math.fround(x) === x)).toBe(true);
  });

  test("integers stay inside their bound and permutations hold every number once", () => {
    const stream = new RandomStream(1, "integers");
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), (bound) => {
        const n = stream.integer(bound);
        return Number.isInteger(n) && n >= 0 && n < bound;
      }),
    );
    fc.assert(
      fc.property(fc.nat(60), (n) => {
        expect([...stream.permutation(n)].sort((a, b) => a - b)).toEqual(
          Array.from({ length: n }, (_, i) => i),
        );
      }),
    );
  });

  test("a bad seed or a damaged state is a RunError", () => {
    expect(() => new RandomStream(-1, "x")).toThrow(RunError);
    expect(() => new RandomStream(0.5, "x")).toThrow(RunError);
    expect(() => RandomStream.from({ key: [0, 0], stream: [0, 2 ** 32], drawn: 0 })).toThrow(
      RunError,
    );
    expect(() => RandomStream.from({ key: [0, 0], stream: [0, 1], drawn: -4 })).toThrow(RunError);
  });
});
