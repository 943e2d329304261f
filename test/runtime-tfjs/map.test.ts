/** The formula language of defineMap: what it reads, what it refuses, and that the printer is its inverse. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defineMap, showMap } from "../../runtime/tfjs/map.js";
import { random, seeds, smallSizes, whole } from "../support/kernels/arbitrary.js";
import { randomMap, referenceMap } from "../support/kernels/cases-map.js";

const formulaOf = (formula: string, names = "x:A, y:A"): string =>
  showMap(defineMap(`${names} -> A`, formula)).formula;

describe("defineMap", () => {
  it("reads inputs, statements and the result", () => {
    expect(defineMap("x:BTHK, a:H -> BTHK", "t = exp(x); t / (1 + t) * a")).toEqual({
      inputs: ["BTHK", "H"],
      output: "BTHK",
      reduce: null,
      code: [
        { fn: "exp", arguments: [{ kind: "input", index: 0 }] },
        {
          fn: "add",
          arguments: [
            { kind: "constant", value: 1 },
            { kind: "value", index: 0 },
          ],
        },
        {
          fn: "div",
          arguments: [
            { kind: "value", index: 0 },
            { kind: "value", index: 1 },
          ],
        },
        {
          fn: "mul",
          arguments: [
            { kind: "value", index: 2 },
            { kind: "input", index: 1 },
          ],
        },
      ],
    });
  });

  it.each([
    ["x - y - x", "x0 - x1 - x0"],
    ["x - (y - x)", "x0 - (x1 - x0)"],
    ["-x ^ 2", "-x0 ^ 2"],
    ["(-x) ^ 2", "(-x0) ^ 2"],
    ["x ^ -2 ^ y", "x0 ^ -2 ^ x1"],
    ["(x ^ y) ^ 2", "(x0 ^ x1) ^ 2"],
    ["-2 * x", "-2 * x0"],
    ["-(x + y) * 3", "-(x0 + x1) * 3"],
    ["x / (y * 2)", "x0 / (x1 * 2)"],
    [
      "select(lt(x, 1e-5), -Infinity, position(A))",
      "select(lt(x0, 0.00001), -Infinity, position(A))",
    ],
    ["x", "stop(x0)"],
    ["t = x * x; t + t", "t1 = x0 * x0; t1 + t1"],
  ])("%s", (formula, shown) => {
    expect(formulaOf(formula)).toBe(shown);
  });

  it.each([
    ["x +", "it ends too early"],
    ["x z", '"z" is left over'],
    ["z + 1", 'there is no value "z"'],
    ["gelu(x)", 'there is no function "gelu"'],
    ["maximum(x)", "maximum takes 2 arguments, not 1"],
    ["x = y; x", '"x" is already the name of a value'],
    ["x & y", 'cannot read "& y"'],
  ])("refuses %s", (formula, message) => {
    expect(() => formulaOf(formula)).toThrow(message);
  });

  it("asks how an axis is reduced, and only then keeps the answer", () => {
    expect(() => defineMap("x:BT -> B", "x")).toThrow("must say how T is reduced");
    expect(defineMap("x:BT -> B", "x", "max").reduce).toBe("max");
    expect(defineMap("c: -> B", "c", "sum").reduce).toBe(null);
  });
});

describe("showMap", () => {
  it("is read back as a kernel that prints and computes the same", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const next = random(seed);
        const kernel = randomMap(next, "BTH");
        const text = showMap(kernel);
        const again = defineMap(text.spec, text.formula, text.reduce ?? undefined);
        expect(showMap(again)).toEqual(text);
        const sizes = smallSizes(next, "BTH", 30);
        const inputs = kernel.inputs.map((letters) => whole(letters, sizes, next, 3));
        expect(referenceMap(again, inputs, sizes)).toEqual(referenceMap(kernel, inputs, sizes));
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});
