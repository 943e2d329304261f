/** `lsm build`: what it writes, where, and what it refuses. */

import { describe, expect, it } from "vitest";
import { stemOf } from "../compiler/cli/build/paths.js";
import { lsm } from "./support/command-line.js";
import { memoryHost } from "./support/memory-host.js";

const model = `model Tiny {
  language_model(vocab: 256, width: 4, blocks: [Block(LinearAttention(heads: 1), swiglu(hidden: 4))])
}
data text { text "corpus/*.txt"  seq 3 }
`;
const train = (name: string, more = ""): string =>
  `train ${name} { model Tiny  data text  optimizer adamw(lr: 1e-3)  batch 1  steps 1 ${more} }\n`;
const one = model + train("first");

const build = (host: ReturnType<typeof memoryHost>, ...flags: string[]) =>
  lsm(["build", "programs/tiny.lsm", "--target", "tfjs", ...flags], { host });

describe("lsm build", () => {
  it("writes a folder that stands on its own", async () => {
    const host = memoryHost({ "programs/tiny.lsm": one });
    const { code, out, err } = await build(host, "--out", "out/tiny/");
    expect([code, err]).toEqual([0, ""]);
    const names = ["trainer.ts", "tiny.lsm", "README.md", "package.json", "tsconfig.json"];
    expect(out).toBe(names.map((name) => `wrote out/tiny/${name}\n`).join(""));
    expect(host.list("out/tiny")).toEqual([...names].sort());
    expect(host.files.get("out/tiny/tiny.lsm")).toBe(one);
    expect(host.files.get("out/tiny/trainer.ts")).toContain(
      'runAsMain(import.meta.url, trainable, settings, {\n  source: "tiny.lsm",\n  data: "../../programs",\n})',
    );
    expect(JSON.parse(host.files.get("out/tiny/package.json")!)).toMatchObject({
      name: "tiny-trainer",
      type: "module",
    });
  });

  it("carries the files that the program uses", async () => {
    const layer = "layer Same(x: [width]) { x }\n";
    const text = `use "layers.lsm"\n${one.replace("swiglu(hidden: 4)", "Same")}`;
    const host = memoryHost({ "programs/tiny.lsm": text, "programs/layers.lsm": layer });
    expect(await build(host, "--out", "out")).toMatchObject({ code: 0 });
    expect(host.files.get("out/tiny.lsm")).toContain(layer);
    expect(host.files.get("out/tiny.lsm")).not.toContain("use ");
  });

  it("keeps what is in a folder, unless it is told not to", async () => {
    const host = memoryHost({ "programs/tiny.lsm": one, "out/notes.txt": "mine" });
    const refused = await build(host, "--out", "out");
    expect(refused).toMatchObject({ code: 2, out: "" });
    expect(refused.err).toContain("out is not empty");
    expect(refused.err).toContain("--force");
    expect(host.list("out")).toEqual(["notes.txt"]);
    expect(await build(host, "--out", "out", "--force")).toMatchObject({ code: 0 });
    expect(host.files.get("out/notes.txt")).toBe("mine");
  });

  it("asks which training is meant when there are several", async () => {
    const host = memoryHost({ "programs/tiny.lsm": one + train("second") });
    const asked = await build(host, "--out", "out");
    expect([asked.code, asked.err.includes("--train first")]).toEqual([2, true]);
    expect(await build(host, "--out", "out", "--train", "second")).toMatchObject({ code: 0 });
    expect(host.files.get("out/trainer.ts")).toContain('name: "second"');
  });

  it("needs a training", async () => {
    const host = memoryHost({ "programs/tiny.lsm": model });
    const { code, err } = await build(host, "--out", "out");
    expect([code, err.includes("has no train")]).toEqual([2, true]);
  });

  it("writes nothing for a program with mistakes", async () => {
    const host = memoryHost({ "programs/tiny.lsm": `${one}layer` });
    expect(await build(host, "--out", "out")).toMatchObject({ code: 1, out: "" });
    expect(host.exists("out")).toBe(false);
  });

  it("says what tfjs cannot do", async () => {
    const host = memoryHost({ "programs/tiny.lsm": model + train("first", "precision bf16") });
    expect((await build(host, "--out", "out")).err).toContain("tfjs has no bf16");
  });
});

describe("the name of the written program", () => {
  it.each([
    ["a/b/moby.lsm", "moby"],
    ["../..", "model"],
    [".hidden.lsm", "hidden"],
    ["a b\n`c`.lsm", "a-b-c-"],
    ["mobydick", "mobydick"],
  ])("of %j is %s", (path, stem) => expect(stemOf(path)).toBe(stem));
});
