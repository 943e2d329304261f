import type * as Fs from "node:fs/promises";
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Checkpoint } from "../runtime/checkpoint/checkpoint.js";
import {
  latestCheckpoint,
  readCheckpoint,
  writeCheckpoint,
} from "../runtime/checkpoint/checkpoint.node.js";
import { float32 } from "../runtime/checkpoint/dtypes.js";
import { writeSafetensors } from "../runtime/checkpoint/safetensors.node.js";
import { RandomStream } from "../runtime/random/stream.js";
import { RunError } from "../runtime/run/errors.js";

/** Set to make the next flush of a file fail the way a full disk does. */
let full = false;
vi.mock("node:fs/promises", async (original) => {
  const fs = await original<typeof Fs>();
  const open: typeof Fs.open = async (...args) => {
    const file = await fs.open(...args);
    if (full) {
      file.sync = () =>
        Promise.reject(
          Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" }),
        );
    }
    return file;
  };
  return { ...fs, open };
});

let folder: string;
beforeEach(
  async () => void (folder = join(await mkdtemp(join(tmpdir(), "lsm-checkpoint-")), "checkpoints")),
);
afterEach(async () => {
  full = false;
  await rm(join(folder, ".."), { recursive: true });
});

function checkpoint(step: number): Checkpoint {
  return {
    source: "model M { … }\n// “quoted”",
    model: "M",
    train: "pretrain",
    step,
    weights: new Map([
      [
        "embedding.weight",
        float32(
          [2, 3],
          Float32Array.from({ length: 6 }, (_, i) => step + i / 7),
        ),
      ],
      ["head.bias", float32([], Float32Array.of(NaN))],
    ]),
    optimizer: new Map([
      ["m", new Map([["embedding.weight", float32([2, 3], new Float32Array(6).fill(0.5))]])],
    ]),
    schedule: { kind: "cosine", warmup: 10 },
    data: { position: step * 4, seed: 1, fingerprint: "cafe" },
    random: { sample: new RandomStream(1, "sample").state },
    tokenizer: { kind: "bytes" },
    compiler: "0.1.0",
    notes: { heldOut: [2.5, 2.25] },
  };
}

describe("checkpoints", () => {
  test("come back as they were written", async () => {
    const path = await writeCheckpoint(folder, checkpoint(1000));
    expect(path.endsWith("step-00001000.safetensors")).toBe(true);
    expect(await readCheckpoint(path)).toEqual(checkpoint(1000));
  });

  test("the last two and the final one are kept", async () => {
    for (const step of [1, 2, 3, 4]) await writeCheckpoint(folder, checkpoint(step));
    await writeCheckpoint(folder, checkpoint(5), { final: true });
    expect((await readdir(folder)).sort()).toEqual([
      "final.safetensors",
      "step-00000003.safetensors",
      "step-00000004.safetensors",
    ]);
    expect((await latestCheckpoint(folder))!.checkpoint.step).toBe(5);
    await writeCheckpoint(folder, checkpoint(6));
    expect((await latestCheckpoint(folder))!.checkpoint.step).toBe(6);
  });

  test("a folder that is missing or empty holds none", async () => {
    expect(await latestCheckpoint(folder)).toBeNull();
    await mkdir(folder);
    await writeFile(join(folder, "notes.txt"), "");
    expect(await latestCheckpoint(folder)).toBeNull();
  });

  test("what a killed process left half-written is cleared away", async () => {
    await mkdir(folder);
    await writeFile(join(folder, ".step-00000009.safetensors.77.1.partial"), "half");
    expect(await latestCheckpoint(folder)).toBeNull();
    await writeCheckpoint(folder, checkpoint(1));
    expect(await readdir(folder)).toEqual(["step-00000001.safetensors"]);
  });
});

describe("a damaged checkpoint", () => {
  test("cut short or with a flipped bit is passed over for the one before it, with a warning", async () => {
    await writeCheckpoint(folder, checkpoint(1), { keep: 3 });
    const second = await writeCheckpoint(folder, checkpoint(2), { keep: 3 });
    const third = await writeCheckpoint(folder, checkpoint(3), { keep: 3 });
    const bytes = await readFile(second);
    bytes[bytes.length - 1]! ^= 4;
    await writeFile(second, bytes);
    await truncate(third, 900);
    const { checkpoint: read, warnings } = (await latestCheckpoint(folder))!;
    expect(read.step).toBe(1);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain(`${third}: passed over, `);
    expect(warnings[1]).toContain(
      `${second}: passed over, the tensors' checksum is not the one stored`,
    );
    await expect(readCheckpoint(second)).rejects.toThrow(second);
  });

  test("with no good one left is an error that lists them all", async () => {
    const path = await writeCheckpoint(folder, checkpoint(1));
    await writeFile(path, "not a checkpoint");
    const error = (await latestCheckpoint(folder).catch((e: unknown) => e)) as RunError;
    expect(error).toBeInstanceOf(RunError);
    expect(error.code).toBe("no-good-checkpoint");
    expect(error.message).toContain(path);
  });

  test("someone else's safetensors, another version and a damaged state each say so", async () => {
    await mkdir(folder);
    const path = join(folder, "x.safetensors");
    const code = async (metadata: [string, string][]) => {
      await writeSafetensors(path, { tensors: new Map(), metadata: new Map(metadata) });
      return ((await readCheckpoint(path).catch((e: unknown) => e)) as RunError).code;
    };
    expect(await code([["format", "pt"]])).toBe("checkpoint-foreign");
    expect(await code([["lsm.checkpoint", "9"]])).toBe("checkpoint-version");
    expect(await code([["lsm.checkpoint", "1"]])).toBe("checkpoint-corrupt");
    expect(
      await code([
        ["lsm.checkpoint", "1"],
        ["lsm.state", '{"step":-1}'],
      ]),
    ).toBe("checkpoint-corrupt");
    await expect(readCheckpoint(join(folder, "none"))).rejects.toThrow(/no such file/);
  });
});

test("a full disk leaves the checkpoint before it, no half file, and says what to do", async () => {
  await writeCheckpoint(folder, checkpoint(1));
  full = true;
  const error = (await writeCheckpoint(folder, checkpoint(2)).catch((e: unknown) => e)) as RunError;
  expect(error).toBeInstanceOf(RunError);
  expect(error.code).toBe("disk-full");
  expect(error.message).toContain("step-00000002");
  full = false;
  expect(await readdir(folder)).toEqual(["step-00000001.safetensors"]);
  expect((await latestCheckpoint(folder))!.checkpoint.step).toBe(1);
});
