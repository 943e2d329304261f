/**
 * What holds for every program: an answer within two seconds and never an exception, and what has no mistakes
 * can be compiled and run, with the same values in every form. `FUZZ=100000` runs more cases; `SEED` chooses others.
 */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { check, compileTraining } from "../../compiler/compile.js";
import { anyProgram } from "../support/fuzz/any-program.js";
import { hold, hostOf } from "../support/fuzz/hold.js";
import { library } from "../support/fuzz/programs.js";

const runs = Number(process.env["FUZZ"] ?? 150);
const settings = { numRuns: runs, seed: Number(process.env["SEED"] ?? 1) };

const header = "layer Own(x: [width], heads = 2, key = 3, value = 2)";
const own = (body: string, before = ""): string =>
  `${before}${header} {\n${body}\n}\nmodel Tiny { language_model(vocab: 5, width: 4, blocks: [Own(), Own()]) }\n`;

describe("any program", () => {
  test("is answered, and runs when nothing is wrong", { timeout: 60_000 + runs * 200 }, () => {
    let compared = 0;
    const seeds = fc.noBias(fc.nat(2 ** 31 - 1));
    const one = fc.property(seeds, (seed) => {
      try {
        compared += hold(anyProgram(seed)).compared;
      } catch (error) {
        throw new Error(`${String(error)}\n${anyProgram(seed)}`, { cause: error });
      }
    });
    fc.assert(one, { ...settings, endOnFailure: true });
    expect(compared).toBeGreaterThan(runs / 10);
  });
});

/** Programs that look odd, and are right. */
const right: Readonly<Record<string, string>> = {
  "a lag of a state's value that feeds its step": `
    k = linear(x, [key])
    state S: [key]
    old = prev(tanh(S) * k)
    S <- 0.9 * S + k + 0.1 * old
    linear(S, [width])`,
  "a long lag inside a step": `
    state S: [key]
    S <- 0.5 * S + linear(x, [key]) + 0.2 * prev(S * S, 2) + 0.1 * prev(S, 3)
    linear(S, [width])`,
  "two states that read each other's old values": `
    state S: [key]
    state T: [key]
    S <- 0.5 * S + linear(x, [key]) + 0.1 * T
    T <- 0.5 * T + 0.1 * S.prev
    linear(S + T, [width])`,
  "two recurrences read by each other's reads": `
    state S: [heads, key]
    state T: [heads, key]
    S <- 0.5 * S + linear(x, [heads, key])
    T <- 0.5 * T + linear(x, [heads, key])
    a = dot(S, linear(sum(T, key), [key]), key)
    b = dot(T, linear(sum(S, key), [key]), key)
    linear(a * b, [width])`,
  "a state read before and after its step": `
    k = linear(x, [key])
    state S: [key]
    before = sum(S * k)
    S <- 0.9 * S + k
    x * before + linear(S, [width])`,
  "a state written in one branch only": `
    state S: [key]
    if heads > 1 { S <- 0.9 * S + linear(x, [key]) }
    if heads > 7 { S <- 0 * S } else if heads > 6 { S <- 2 * S }
    linear(S, [width])`,
  "a step that repeats along axes": `
    state S: [heads, key]
    S <- 0.5 * S + linear(x, [heads])
    T = sum(S, key)
    linear(T, [width])`,
  "a negative gate": `
    state S: [key, value]
    S <- linear(x, [key]) * S + linear(x, [key]) * linear(x, [value])
    linear(dot(linear(x, [key]), S, key), [width])`,
  "a gate of 0 and one above 1": `
    state S: [key, value]
    S <- 0 * S + linear(x, [key]) * linear(x, [value])
    state T: [key, value]
    T <- 1.5 * T + linear(x, [key]) * linear(x, [value])
    q = linear(x, [key])
    linear(dot(q, S, key) + dot(q, T, key), [width])`,
  "twenty micro-steps": `
    state S: [key, value]
    b = l2norm(linear(x, [key]), key)
    ${"S <- S - 0.5 * b * dot(b, S, key) + b * linear(x, [value])\n".repeat(20)}
    linear(dot(b, S, key), [width])`,
  "an axis inside a mix called like its choices": `
    route r = top_k(softmax(linear(x, [experts: 3])), 2)
    y = mix e in r {
      h = linear(x, [experts: 3])
      state S: [experts: 3]
      S <- 0.5 * S + h
      linear(S, [width])
    }
    y`,
  "two routers with losses and biases": `
    route r = top_k(softmax(linear(x, [a: 3])), 2, balance: 0.1, z: 0.1, bias: 0.01)
    route s = top_k(softmax(linear(x, [b: 3])), 2, balance: 0.1, z: 0.1, bias: 0.01)
    (mix e in r { linear(x, [width]) }) + (mix e in s { linear(x, [width]) })`,
  "a loss inside a mix": `
    route r = top_k(softmax(linear(x, [a: 3])), 2)
    mix e in r {
      y = linear(x, [width])
      penalty(0.1 * sum(square(y)))
      y
    }`,
  "a mix that nothing reads": `
    route r = top_k(softmax(linear(x, [choices: 3]), choices), 2)
    unread = mix e in r { linear(x, [key]) }
    linear(x, [width])`,
  "a step inside a mix that repeats along axes": `
    route r = top_k(softmax(linear(x, [a: 3])), 2)
    mix e in r {
      state S: [heads, key]
      h = linear(x, [heads])
      S <- 0.5 * S + tanh(sum(S, key)) + h
      linear(concat(S, 2 * S, key), [width])
    }`,
  "a mix whose choices are numbers": `
    route r = top_k(softmax(linear(x, [a: 3])), 2)
    x * mix e in r { param([width], normal(1)) }`,
  "a filter that changes from token to token": `
    w = linear(x, [taps: 3, width])
    causal_conv(x, w, taps) + prev(x, 2)`,
  "layers shared inside shared layers": `
    f = shared(low_rank(out: [width], rank: 2))
    g = shared(Twice(inner: f))
    g(x) + g(f(x))`,
};

describe("what is odd and right runs alike in every form:", () => {
  const twice = "layer Twice(x: [width], inner: layer) { inner(inner(x)) }\n";
  test.each(Object.entries(right))("%s", (_, body) => {
    expect(hold(own(body, twice))).toMatchObject({ codes: [], run: 1, compared: 1 });
  });

  test("two models in one file, one used by none", () => {
    const text = own("linear(x, [width])").replace("Tiny", "Other") + own("x").split("\n").at(-2)!;
    expect(hold(text)).toMatchObject({ codes: [], run: 2 });
  });

  test("a file that uses itself", () => {
    expect(hold(`use "self.lsm"\n`).codes).toEqual([]);
  });
});

/** Programs that no machine could build or run, and what is said. */
const absurd: Readonly<Record<string, readonly [string, string]>> = {
  "a hundred thousand blocks": [
    "wrong-kind",
    "model M { language_model(vocab: 5, width: 4, blocks: [swiglu()] * 100000) }",
  ],
  "blocks doubled over and over": [
    "wrong-kind",
    `model M {\n  b0 = [swiglu()]\n${Array.from({ length: 40 }, (_, i) => `  b${i + 1} = b${i} + b${i}`).join("\n")}\n  language_model(vocab: 5, width: 4, blocks: b40)\n}`,
  ],
  "an axis of 2^60": ["bad-size", own("x * sum(iota([a: 2 ^ 60]))")],
  "a tensor of 1e30": ["too-large", own("linear(linear(x, [a: 1e15, b: 1e15]), [width])")],
  "a state of 1e30": [
    "too-large",
    own("state S: [a: 1e15, b: 1e15]\nS <- 0.5 * S + sum(x)\nx * sum(S)"),
  ],
  "a filter of a billion taps": ["bad-size", own("conv(x, 1e9)")],
  "a lag of a billion tokens": ["bad-size", own("prev(x, 1e9)")],
  "an initialiser that doubles": [
    "wrong-kind",
    own(
      `${Array.from({ length: 40 }, (_, i) => `u${i + 1} = u${i} + u${i}`).join("\n")}\nx * param([width], u40)`.replace(
        "u1 =",
        "u0 = uniform(0, 1)\nu1 =",
      ),
    ),
  ],
  "a layer that holds itself": ["endless-recursion", own("Own(x)")],
  "layers that hold each other": [
    "endless-recursion",
    own("A(x)", "layer A(x: [width]) { B(x) }\nlayer B(x: [width]) { A(x) }\n"),
  ],
  "expressions nested through layers": [
    "nesting-too-deep",
    own(
      "L30(x)",
      Array.from({ length: 31 }, (_, i) => {
        const inner = i === 0 ? "x" : `L${i - 1}(x)`;
        return `layer L${i}(x: [width]) { ${"-".repeat(90)}${inner} }\n`;
      }).join(""),
    ),
  ],
};

describe("what is absurd is refused:", () => {
  test.each(Object.entries(absurd))("%s", (_, [code, text]) => {
    expect(hold(text).codes).toContain(code);
  });

  test("a size's text does not grow without end", () => {
    const lines = Array.from({ length: 60 }, (_, i) => `  n${i + 1} = n${i} * n${i}`);
    hold(`layer A(x: [width]) {\n  n0 = width\n${lines.join("\n")}\n  x * n60\n}`);
  });

  test("a gate that multiplies itself does not take for ever", () => {
    const lines = (name: string): string =>
      Array.from({ length: 60 }, (_, i) => `${name}${i + 1} = ${name}${i} * ${name}${i}`).join(
        "\n",
      );
    hold(
      own(`a0 = sigmoid(linear(x, [key]))\nw0 = linear(x, [key, value])\n${lines("a")}\n${lines("w")}
        state S: [key, value]\nS <- a60 * S + w60\nlinear(sum(S, key), [width])`),
    );
  });
});

describe("a layer of the library, on its own,", () => {
  test.each(library)("$path has no mistakes", ({ text }) => {
    expect(check(hostOf(text), "fuzz.lsm").diagnostics).toEqual([]);
  });
});

/** Mistakes in layers that nothing uses, and whose sizes nobody knows. */
const unused: Readonly<Record<string, readonly [string, string]>> = {
  "an axis that only one side has": [
    "axis-mismatch",
    "layer A(x: [width], heads = 4) { dot(linear(x, [heads]), x, heads) }",
  ],
  "sizes that differ whatever they are": [
    "axis-size-mismatch",
    "layer A(x: [width], key = 2 * width) { linear(x, [a: key]) + linear(x, [a: width]) }",
  ],
  "a name that is not there": ["unknown-name", "layer A(x: [width]) { y = x\n x * z }"],
  "a step of another shape": [
    "state-shape",
    "layer A(x: [width], key = 4) {\n state S: [key]\n S <- 0.5 * S + x\n linear(S, [width]) }",
  ],
  "an input of other axes": [
    "input-mismatch",
    "layer B(x: [heads, key]) { sum(x) }\nlayer A(x: [width]) { x * B(x) }",
  ],
};

describe("a layer that nothing uses", () => {
  test.each(Object.entries(unused))("is told of %s", (_, [code, text]) => {
    expect(hold(text).codes).toEqual([code]);
  });
});

describe("time grows with a program, not faster:", { timeout: 120_000 }, () => {
  /** Milliseconds of processor time, the least of three runs: other work on the machine only adds to it. */
  const best = (run: () => void): number => {
    const times = [1, 2, 3].map(() => {
      const start = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1000;
    });
    return Math.min(...times);
  };
  /** How many times as long four times as much takes: 4, or 16 where time is quadratic. Collecting garbage may add to either side
   * for a while, so what is too slow has to be so every time. */
  const growth = (time: (times: number) => number): number => {
    let least = Infinity;
    for (let turn = 0; turn < 3 && least >= 12; turn++) least = Math.min(least, time(4) / time(1));
    return least;
  };
  const checked = (text: string) => {
    const { models, diagnostics } = check(hostOf(text), "fuzz.lsm");
    expect(diagnostics).toEqual([]);
    return [...models.values()][0]!;
  };
  const long = (lines: number): string => {
    const body = Array.from(
      { length: lines },
      (_, i) => `  y${i + 1} = 0.5 * y${i} + linear(x, [width])`,
    );
    return own(`  y0 = x\n${body.join("\n")}\n  y${lines}`);
  };
  // HGRN2 asks for its depth, so every block is a function of its own
  const deep = (blocks: number): string =>
    `model M { language_model(vocab: 5, width: 8, blocks: [HGRN2(heads: 2)] * ${blocks}) }`;

  test("checking a long layer", () => {
    checked(long(500));
    expect(growth((times) => best(() => checked(long(times * 1000))))).toBeLessThan(12);
  });

  test.each([
    ["a long layer", long, 150],
    ["a deep model", deep, 6],
  ] as const)("compiling %s", (_, program, size) => {
    const compile = (times: number): number => {
      const model = checked(program(times * size));
      return best(() => compileTraining(model, { batch: 2, time: 8 }));
    };
    compile(1);
    expect(growth(compile)).toBeLessThan(12);
  });
});
