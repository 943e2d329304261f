/** `lsm diagram`: what pictures say, that they are safe and always the same, and what the command leaves alone. */
import { describe, expect, test } from "vitest";
import { placeInOrder } from "../compiler/6-emit/diagram/layout/isotonic.js";
import { fold, type Folded } from "../compiler/6-emit/diagram/repeats.js";
import { textWidth, wrap } from "../compiler/6-emit/diagram/text-width.js";
import { bytes, count } from "../compiler/6-emit/diagram/figures.js";
import { lsm } from "./support/command-line.js";
import { memoryHost } from "./support/memory-host.js";

const hybrid = `/// A model
/// of two kinds of block.
model Hybrid {
  L = Block(GLA(heads: 2), MoE(experts: 8, top_k: 2, hidden: 32))
  N = Block(Attention(heads: 2, window: 16), swiglu(hidden: 32))
  language_model(vocab: 64, width: 32, blocks: [L, L, L, N] * 4)
}
`;

async function draw(source: string, ending: string): Promise<string> {
  const host = memoryHost({ "m.lsm": source });
  const { code, err } = await lsm(["diagram", "m.lsm", "--out", `m.${ending}`], { host });
  expect([code, err]).toEqual([0, ""]);
  return host.files.get(`m.${ending}`)!;
}

const texts = (svg: string): string[] =>
  [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!);

describe("repeats", () => {
  const shown = (folded: readonly Folded[], keys: string): string =>
    folded
      .map((item) =>
        typeof item === "number" ? keys[item]! : `${item.times}(${shown(item.unit, keys)})`,
      )
      .join("");

  test.each([
    ["", ""],
    ["L", "L"],
    ["LLLL", "4(L)"],
    ["LLLNLLLN", "2(3(L)N)"],
    ["LNLNLN", "3(LN)"],
    ["ALLLLB", "A4(L)B"],
    ["AABAABC", "2(2(A)B)C"],
    ["ABC", "ABC"],
  ])("of %s are %s", (keys, folded) => {
    expect(shown(fold([...keys]), keys)).toBe(folded);
  });
});

describe("places", () => {
  const wish = (x: number) => ({ x, weight: 1 });

  test("are the wishes where these leave room", () => {
    expect(placeInOrder([wish(0), wish(30)], [10])).toEqual([0, 30]);
  });

  test("share the difference where they do not", () => {
    expect(placeInOrder([wish(0), wish(0), wish(0)], [10, 10])).toEqual([-10, 0, 10]);
  });
});

describe("texts", () => {
  test("are as wide as their letters", () => {
    expect(textWidth("", "text")).toBe(0);
    expect(textWidth("ii", "text")).toBeLessThan(textWidth("WW", "text"));
    expect(textWidth("線形", "text")).toBe(23);
  });

  test("break at spaces only", () => {
    expect(wrap("one two three", "text", 50).join("").replace(/\s+/g, "")).toBe("onetwothree");
    expect(wrap("one two three", "text", 50).length).toBeGreaterThan(1);
  });

  test.each([
    [0, "0"],
    [950, "950"],
    [1128864, "1.13M"],
    [16384, "16.4K"],
    [999_999, "1M"],
    [7_390_000_000, "7.39B"],
  ])("count %d as %s", (value, text) => expect(count(value)).toBe(text));

  test("count bytes in powers of 1024", () => expect(bytes(8192)).toBe("8 KiB"));
});

describe("a picture", () => {
  test("says what a paper would", async () => {
    const said = texts(await draw(hybrid, "svg"));
    for (const text of [
      "Hybrid",
      "embedding",
      "× 4",
      "× 3",
      "GLA",
      "S &lt;- a * S + k * v",
      "state S: heads 2 × key 8 × value 16",
      "family F2: key gate, chunk 16",
      "top 2 of 8 experts",
      "2 of 8 experts",
      "causal softmax over a window of 16",
      "vocab 64",
      "norm",
      "logits",
      "loss",
    ])
      expect(said).toContain(text);
    expect(said.filter((text) => text === "+")).toHaveLength(4);
  });

  test("has a title and a description for who cannot see it", async () => {
    const svg = await draw(hybrid, "svg");
    expect(svg).toContain('role="img" aria-labelledby="title description"');
    expect(svg).toContain('<title id="title">Hybrid</title>');
    expect(svg).toMatch(/<desc id="description">A model of two kinds of block\. 16 blocks\./);
    expect(svg).toContain("prefers-color-scheme:dark");
  });

  test("is always the same", async () => {
    expect(await draw(hybrid, "svg")).toBe(await draw(hybrid, "svg"));
  });

  test.each(["svg", "html", "mmd", "dot"])("as %s shows every step", async (ending) => {
    const picture = await draw(hybrid, ending);
    for (const word of ["GLA", "MoE", "Attention", "router", "mixer_norm"])
      expect(picture).toContain(word);
  });

  test("folds blocks that differ in their depth only", async () => {
    const source = hybrid.replace("GLA(heads: 2)", "HGRN2(heads: 2)");
    const said = texts(await draw(source, "svg"));
    expect(said.filter((text) => text.startsWith("L = "))).toHaveLength(1);
    expect(said).toContain("× 3");
  });

  test("keeps what a program says text, whatever it is", async () => {
    const source = `/// </desc><script>alert(1)</script> "]; --> &amp;
model M {
  language_model(vocab: 64, width: 32, blocks: [Block(GLA(heads: if "<script>&\\"" == "x" { 1 } else { 2 }), swiglu())])
}
`;
    for (const ending of ["svg", "html", "mmd"]) {
      const picture = await draw(source, ending);
      expect(picture).not.toContain("<script>alert");
      expect(picture).not.toContain("<script>&");
    }
    expect(await draw(source, "dot")).toContain('if \\"<script>&\\\\\\"\\" == \\"x\\"');
  });

  test("as a page fetches nothing", async () => {
    const page = await draw(hybrid, "html");
    expect(page.replaceAll('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(/https?:|src=/);
    expect(page).toContain("default-src 'none'");
    const script = /<script>([\s\S]*)<\/script>/.exec(page)![1]!;
    expect(() => new Function(script)).not.toThrow();
  });
});

describe("the kernels view", () => {
  const draw = async (...flags: string[]): Promise<string> => {
    const host = memoryHost({ "m.lsm": hybrid });
    const told = await lsm(["diagram", "m.lsm", "--view", "kernels", "--out", "k.svg", ...flags], {
      host,
    });
    expect([told.code, told.err]).toEqual([0, ""]);
    return host.files.get("k.svg")!;
  };

  test("draws the kernels of every function, with buffers and costs", async () => {
    const said = texts(await draw());
    expect(said).toContain("Hybrid: forward pass of 1 × 1024 tokens");
    expect(said).toEqual(
      expect.arrayContaining(["L", "N", "blocks.0", "blocks.15", "grouped_dot"]),
    );
    expect(said).toContain("batch 1 × time 1024 × width 32, 128 KiB");
    expect(said.join("\n")).toMatch(/16 calls .* FLOPs .* moved .* buffers, at most .* at once/);
    expect(said).not.toContain("optimize");
  });

  test("draws the whole training step when asked", async () => {
    const said = texts(await draw("--training"));
    expect(said).toEqual(expect.arrayContaining(["L.forward", "L.backward", "optimize"]));
  });
});

describe("the mesh view", () => {
  const pod = `${hybrid}
parallel pod on h100 * 16 {
  mesh { pp: 2, dp_shard: 2, tp: 2, ep: 2 }
  blocks over pp schedule "1f1b"
  heads over tp
  experts over ep
}
parallel searched on h100 * 8 { search throughput }
`;
  const run = async (argv: string[], source = pod) => {
    const host = memoryHost({ "m.lsm": source });
    const told = await lsm(["diagram", "m.lsm", "--view", "mesh", ...argv], { host });
    return { ...told, host };
  };
  const drawn = async (ending: string) => {
    const { host, code, err } = await run(["--parallel", "pod", "--out", `p.${ending}`], pod);
    expect([code, err]).toEqual([0, ""]);
    return host.files.get(`p.${ending}`)!;
  };

  test("shows devices, their memory, what crosses the mesh and every shard", async () => {
    const said = texts(await drawn("svg"));
    for (const text of [
      "Hybrid on 16 × h100",
      "node 1",
      "stage 0: 8 devices",
      "dp_shard × ep",
      "all-to-all",
      "tokens to experts",
      "activations of the last block",
      "experts 8 / 4 × width 32 × hidden 32 / 2",
      "experts over ep, dp_shard; hidden over tp",
    ])
      expect(said).toContain(text);
    expect(said.filter((text) => text === "15")).toHaveLength(1);
  });

  test.each(["mmd", "dot", "html"])("says the same as %s", async (ending) => {
    const text = await drawn(ending);
    for (const word of ["all-to-all", "stage 0: 8 devices", "kept activations", "logits.weight"])
      expect(text).toContain(word);
  });

  test("is always the same", async () => {
    expect(await drawn("svg")).toBe(await drawn("svg"));
  });

  test("takes the batch of the training that fits, and its model", async () => {
    const training = `data d { text "a.txt"  seq 64 }
train small { model Hybrid  data d  optimizer adamw(lr: 1e-3)  batch 2  steps 1 }
train large { model Hybrid  data d  optimizer adamw(lr: 1e-3)  batch 32  steps 1  accumulate 4 }
model Other { language_model(vocab: 64, width: 32, blocks: [Block(GLA(heads: 2), swiglu(hidden: 32))] * 4) }
`;
    const source = (training + pod).replaceAll("vocab: 64", "vocab: 256");
    const { host } = await run(["--parallel", "pod", "--out", "p.svg"], source);
    const svg = host.files.get("p.svg")!;
    expect(svg).toContain("32 × 64 tokens a step in 4 parts, fp32");
    expect(svg).toContain("a device computes 2 × 64 tokens at a time");
  });

  test.each([
    [["--out", "p.svg"], 2, "several: `pod`, `searched`"],
    [["--parallel", "searched", "--out", "p.svg"], 2, "leaves its mesh to a search"],
    [["--parallel", "pot", "--out", "p.svg"], 2, "did you mean `pod`?"],
    [["--parallel", "pod", "--view", "kernels", "--out", "p.svg"], 2, "add --view mesh"],
  ])("of %j ends with %i", async (argv, code, message) => {
    const found = await run(argv);
    expect([found.code, found.err.includes(message)], found.err).toEqual([code, true]);
  });

  test("shows the mistake of a recurrence that cannot be cut", async () => {
    const source = `layer Odd(x: [width]) {
  state S: [width]
  S <- tanh(S + x)
  S
}
model M { language_model(vocab: 64, width: 32, blocks: [Odd()]) }
parallel pod on h100 * 2 { mesh { cp: 2 }  sequence over cp }
`;
    const found = await run(["--out", "p.svg"], source);
    expect([found.code, found.host.files.has("p.svg")]).toEqual([1, false]);
    expect(found.err).toContain("error[no-sequence-form]");
    const none = await run(["--out", "p.svg"], hybrid);
    expect([none.code, none.err.includes("no `parallel` block")]).toEqual([2, true]);
  });
});

describe("the command", () => {
  test("draws a PNG in the picture's light colours", async () => {
    const host = memoryHost({ "m.lsm": hybrid });
    const { code } = await lsm(["diagram", "m.lsm", "--out", "m.png"], { host });
    expect(code).toBe(0);
    const bytes = Buffer.from(host.files.get("m.png")!, "latin1");
    expect(bytes.subarray(0, 8).toString("latin1")).toBe("\x89PNG\r\n\x1a\n");
    expect(bytes.readUInt32BE(16)).toBeGreaterThan(2000); // two pixels for one unit
  });

  test("draws a training step only where kernels are drawn", async () => {
    const host = memoryHost({ "m.lsm": hybrid });
    const { code, err } = await lsm(["diagram", "m.lsm", "--out", "m.svg", "--training"], { host });
    expect(code).toBe(2);
    expect(err).toContain("add --view kernels");
  });

  const run = (argv: string[], files: Record<string, string> = { "m.lsm": hybrid }) => {
    const host = memoryHost(files);
    return lsm(["diagram", "m.lsm", ...argv], { host }).then((result) => ({ ...result, host }));
  };

  test("leaves a picture that is there alone, unless told otherwise", async () => {
    const files = { "m.lsm": hybrid, "m.svg": "mine" };
    const { code, err, host } = await run(["--out", "m.svg"], files);
    expect([code, host.files.get("m.svg")]).toEqual([2, "mine"]);
    expect(err).toContain("--force");
    const forced = await run(["--out", "m.svg", "--force"], files);
    expect([forced.code, forced.out]).toEqual([0, "m.svg\n"]);
    expect(forced.host.files.get("m.svg")).toMatch(/^<svg /);
  });

  test("never writes over the program itself", async () => {
    const { code, host } = await run(["--out", "m.lsm", "--force"]);
    expect([code, host.files.get("m.lsm")]).toEqual([2, hybrid]);
  });

  test("knows pictures by their endings", async () => {
    const { code, err } = await run(["--out", "m.pdf"]);
    expect(code).toBe(2);
    expect(err).toContain("m.pdf: a picture ends in .svg, .html, .png, .mmd or .dot");
  });

  test("draws nothing of a program with mistakes", async () => {
    const { code, host } = await run(["--out", "m.svg"], { "m.lsm": "model M { x }" });
    expect([code, host.exists("m.svg")]).toEqual([1, false]);
  });

  test("asks which of several models", async () => {
    const { code, err } = await run(["--out", "m.svg"], {
      "m.lsm": hybrid + hybrid.replace("Hybrid", "Other"),
    });
    expect(code).toBe(2);
    expect(err).toContain("--model Hybrid");
  });
});
