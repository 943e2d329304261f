/**
 * The library as a whole: every layer of it that has a state is in some case of the conformance suite, and models of
 * released sizes have as many parameters as the released ones.
 */

import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { modelOf, parametersOf } from "../support/models/instance.js";
import { modelCases } from "../support/models/cases.js";

/** Name of each layer of the library → its text. */
const layers = new Map(
  readdirSync("stdlib")
    .filter((name) => name.endsWith(".lsm"))
    .flatMap((name) => readFileSync(`stdlib/${name}`, "utf8").split(/^(?=layer )/m))
    .flatMap((text) => {
      const name = /^layer (\w+)/.exec(text)?.[1];
      return name === undefined ? [] : [[name, text.replaceAll(/\/\/.*$/gm, "")] as const];
    }),
);

/** The layers that a text calls, and those that these call. */
function reached(text: string, seen = new Set<string>()): Set<string> {
  for (const [, name] of text.matchAll(/\b(\w+)\(/g)) {
    if (seen.has(name!) || !layers.has(name!)) continue;
    seen.add(name!);
    reached(layers.get(name!)!.slice("layer ".length + name!.length), seen);
  }
  return seen;
}

test("every layer with a memory has a case", () => {
  const remembers = /^ *state \w+:|\bprev\(|\bcausal_conv\(|\battend\(/m;
  const withMemory = [...layers].filter(([, text]) => remembers.test(text)).map(([name]) => name);
  expect(withMemory.length).toBeGreaterThan(30);
  const covered = reached(modelCases.map(([, text]) => text).join("\n"));
  expect(withMemory.filter((name) => !covered.has(name))).toEqual([]);
});

/** A model of a released size, and how many parameters the released one has. */
const released: Readonly<Record<string, readonly [string, number]>> = {
  "RWKV-7 World 0.1B": [
    "rwkv7_model(vocab: 65536, width: 768, blocks: [RWKV7Block()] * 12)",
    191_034_624,
  ],
  "Mamba 130M": [
    "language_model(vocab: 50280, width: 768, blocks: [Residual(Mamba1())] * 24, tied: true)",
    129_135_360,
  ],
  "Mamba-2 130M": [
    "language_model(vocab: 50288, width: 768, blocks: [Residual(Mamba2())] * 24, tied: true)",
    128_989_632,
  ],
};

describe("parameters", () => {
  test.each(Object.entries(released))("of %s", (_, [text, expected]) => {
    const sizes = parametersOf(modelOf(`model M { ${text} }`)).map(({ type }) =>
      type.axes.reduce((product, { size }) => product * size, 1),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(expected);
  });
});
