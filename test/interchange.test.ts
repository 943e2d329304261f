/** What `lsm import` refuses, and says of it; the arithmetic of its views. What it takes is in import.test.ts. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nodeHost } from "../compiler/cli/node-host.js";
import { foreignModel, models, parseConfig } from "../compiler/interchange/read.js";
import { notEqual } from "../compiler/interchange/fla/not-equal.js";
import { conv, linear } from "../compiler/interchange/places.js";
import { Settings } from "../compiler/interchange/settings.js";
import { View } from "../compiler/interchange/view.js";
import { weightsFrom } from "../compiler/interchange/weights.js";
import { float32 } from "../runtime/checkpoint/dtypes.js";
import { writeSafetensors } from "../runtime/checkpoint/safetensors.node.js";
import { lsm } from "./support/command-line.js";
import { memoryHost } from "./support/memory-host.js";

const sizes = { hidden_size: 16, num_hidden_layers: 2, vocab_size: 256, num_heads: 2 };
const read = (config: Record<string, unknown>) =>
  foreignModel(new Settings({ ...sizes, ...config }, "config.json"), new Set(["lm_head.weight"]));

describe("lsm import refuses", () => {
  it.each([
    [{ model_type: "comba" }, /`comba`|erase key/],
    [{ model_type: "bert" }, /`model_type` is "bert".*\n.*\n.*equal are delta_net/s],
    [{}, /`model_type` is null/],
    [{ model_type: "gla", feature_map: "relu" }, /`feature_map` is "relu".*equal is null/],
    [{ model_type: "gla", num_kv_heads: 1 }, /`num_kv_heads` is 1/],
    [{ model_type: "gla", attnres_block_size: 2 }, /attnres_block_size/],
    [{ model_type: "gla", num_heads: "two" }, /`num_heads` is "two", and a number is needed/],
    [{ model_type: "gla", num_heads: 0 }, /a whole number above 0/],
    [{ model_type: "gla", attn: { layers: [1], num_heads: "many" } }, /num_heads/],
    [{ model_type: "delta_net", use_short_conv: false }, /use_short_conv/],
    [{ model_type: "gated_deltanet", num_v_heads: 4 }, /num_v_heads/],
    [{ model_type: "gated_deltaproduct", num_householder: 3 }, /equal is 2/],
    [{ model_type: "gated_deltaproduct", num_householder: 2 }, /`use_forget_gate` is not given/],
    [{ model_type: "linear_attn" }, /`feature_map` is not given.*equal is "identity"/],
    [{ model_type: "hgrn2", use_short_conv: true }, /use_short_conv/],
    [{ model_type: "kda", safe_gate: true }, /safe_gate/],
    [{ model_type: "mamba2", n_groups: 8 }, /n_groups/],
    [{ model_type: "mamba2", dt_limit: [0.1, 1] }, /dt_limit/],
    [{ model_type: "rwkv7", value_dim: [16, 32] }, /value_dim/],
    [{ model_type: "rwkv6", norm_first: false }, /norm_first/],
    [
      { model_type: "llama", num_attention_heads: 2, intermediate_size: 8, attention_bias: true },
      /attention_bias/,
    ],
    [
      {
        model_type: "llama",
        num_attention_heads: 2,
        intermediate_size: 8,
        rope_parameters: { rope_type: "yarn" },
      },
      /rope_type/,
    ],
    [
      {
        model_type: "qwen2",
        num_attention_heads: 2,
        intermediate_size: 8,
        rope_scaling: { factor: 2 },
      },
      /rope_scaling/,
    ],
    [{ model_type: "retnet", hidden_act: "gelu" }, /hidden_act/],
  ])("%j", (config, message) => {
    expect(() => read(config)).toThrow(message);
  });

  it("tensors of another shape, too few and too many", () => {
    const place = { w: linear("a") };
    const given = (shape: number[]) =>
      new Map([["a", float32(shape, new Float32Array(shape.reduce((x, y) => x * y, 1)))]]);
    const parameters = [{ path: "w", axes: [{ size: 3 }, { size: 2 }, { size: 4 }] }];
    const weights = (tensors: ReturnType<typeof given>) =>
      weightsFrom(parameters, place, tensors, /^$/, "there");
    expect(weights(given([8, 3])).get("w")!.shape).toEqual([3, 2, 4]);
    expect(() => weights(given([3, 8]))).toThrow(
      /`a` is \[3, 8\], which gives no \[3, 2, 4\] for `w`/,
    );
    expect(() => weights(given([12, 2]))).toThrow(/gives no/);
    expect(() => weights(new Map())).toThrow(/there is no `a`/);
    expect(() =>
      weights(new Map([...given([8, 3]), ["b", float32([1], new Float32Array(1))]])),
    ).toThrow(/nothing for `b`/);
    const first = { w: linear("a", (x) => x.slice(0, 0, 8)) };
    expect(() => weightsFrom(parameters, first, given([9, 3]), /^$/, "there")).toThrow(
      /nothing for `a`/,
    );
  });

  it("a folder without tensors or tokenizer, and a run that is there", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lsm-refused-"));
    const files = nodeHost();
    const tried = async (): Promise<string> => {
      const argv = ["import", folder, "--out", join(folder, "run")];
      const { code, err } = await lsm(argv, { host: { ...memoryHost(), ...files } });
      return `${code} ${err}`;
    };
    expect(await tried()).toMatch(/^3 .*config.json: there is no such file/s);
    writeFileSync(join(folder, "config.json"), "[]");
    expect(await tried()).toMatch(/^3 .*import-config.*no JSON object/s);
    writeFileSync(
      join(folder, "config.json"),
      JSON.stringify({ ...sizes, vocab_size: 300, model_type: "gla" }),
    );
    expect(await tried()).toMatch(/^3 .*import-without-tensors/s);
    await writeSafetensors(join(folder, "model.safetensors"), {
      tensors: new Map(),
      metadata: new Map(),
    });
    expect(await tried()).toMatch(/^3 .*import-without-tokenizer.*300 ids/s);
    writeFileSync(join(folder, "config.json"), JSON.stringify({ ...sizes, model_type: "gla" }));
    expect(await tried()).toMatch(/^3 .*import-mismatch.*there is no `model.embeddings.weight`/s);
    expect(files.exists(join(folder, "run"))).toBe(false);
    files.writeText(join(folder, "run", "model.lsm"), "");
    expect(await tried()).toMatch(/^2 .*is there already/s);
    rmSync(folder, { recursive: true });
  });
});

describe("lsm import", () => {
  it("reads what Python writes for JSON", () => {
    expect(parseConfig('{"dt_limit": [0.0, Infinity], "x": -NaN}', "")).toEqual({
      dt_limit: [0, null],
      x: null,
    });
  });

  it("is documented with every model that it takes or refuses", () => {
    const text = readFileSync(join(import.meta.dirname, "../docs/interchange.md"), "utf8");
    for (const name of [...Object.keys(models), ...Object.keys(notEqual)])
      expect(text).toContain(`\`${name}\``);
    for (const why of Object.values(notEqual)) expect(text).toContain(why);
  });

  it("sees tensors under other axes", () => {
    const x = View.of([0, 1, 2, 3, 4, 5], [2, 3]);
    expect([...x.permute(1, 0).read()]).toEqual([0, 3, 1, 4, 2, 5]);
    expect([...x.flip(1).slice(0, 1, 1).read()]).toEqual([5, 4, 3]);
    expect(x.split(1, [3, 1]).permute(1, 0, 2).shape).toEqual([3, 2, 1]);
    const taps = conv("").arrange(View.of([1, 2, 3, 4], [2, 1, 2])); // two channels of taps old, new
    expect([taps.shape, [...taps.read()]]).toEqual([
      [2, 2, 1],
      [2, 4, 1, 3],
    ]);
  });
});
