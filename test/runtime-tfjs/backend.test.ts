/** The choice of a backend: what is said about it, and what is refused. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { chooseBackend } from "../../runtime/tfjs/backend.js";
import { setupNative } from "../../runtime/tfjs/native/index.js";

const empty = mkdtempSync(join(tmpdir(), "lsm-native-"));

beforeEach(() => {
  vi.stubEnv("LSM_NATIVE", empty); // as on a machine where `lsm setup native` has not run
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe("chooseBackend", () => {
  it("takes WebAssembly when there is nothing better, and says what would be", async () => {
    const { name, why } = await chooseBackend();
    expect(name).toBe("wasm");
    expect(why).toBe(
      "backend wasm (SIMD): no NVIDIA GPU here; on a CPU lsm's own WebAssembly kernels serve every model well",
    );
  });

  it("takes the one asked for", async () => {
    const { tf, name, why } = await chooseBackend("cpu");
    expect([name, tf.getBackend()]).toEqual(["cpu", "cpu"]);
    expect(why).toBe("backend cpu (plain JavaScript): as asked");
  });

  it("says what to do for one that is not there", async () => {
    await expect(chooseBackend("node-gpu")).rejects.toMatchObject({
      code: "backend-missing",
      what: "no TensorFlow for Node found",
      help: 'run "lsm setup native" for it',
    });
  });

  it("refuses an unknown one", async () => {
    await expect(chooseBackend("cuda" as "cpu")).rejects.toMatchObject({
      what: 'there is no backend "cuda"',
    });
  });
});

describe("setupNative", () => {
  it("refuses a folder without TensorFlow, before it changes anything", async () => {
    const lines: string[] = [];
    const attempt = setupNative({ tensorflow: empty, folder: empty }, (line) => lines.push(line));
    await expect(attempt).rejects.toMatchObject({ code: "tensorflow-missing", where: empty });
    expect(lines).toEqual([]);
  });
});
