/**
 * The kernels on WebGPU, where the package `webgpu` and a Vulkan driver are there: a real GPU's, or SwiftShader
 * from Debian's chromium, which is so slow that sizes are tiny.
 */

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { required } from "../support/required.js";

const swiftShader = "/usr/lib/chromium";
const root = resolve(import.meta.dirname, "../..");

function packageIsThere(): boolean {
  try {
    createRequire(import.meta.url).resolve("webgpu");
    return true;
  } catch {
    return false;
  }
}

const driver = join(swiftShader, "vk_swiftshader_icd.json");
const software = {
  VK_DRIVER_FILES: driver,
  XDG_RUNTIME_DIR: "/tmp",
  LD_LIBRARY_PATH: swiftShader, // chromium brings Vulkan's loader along
};
const possible = packageIsThere() && existsSync(driver);

async function runChild(): Promise<{ output: string; status: number | null }> {
  const folder = join(root, "node_modules", ".cache", "lsm");
  mkdirSync(folder, { recursive: true });
  const program = join(folder, `webgpu-${process.pid}.mjs`);
  await build({
    entryPoints: [join(root, "test/support/kernels/webgpu-child.ts")],
    outfile: program,
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
  });
  return new Promise((done) => {
    const child = spawn(process.execPath, [program, "4"], {
      env: { ...process.env, ...software },
    });
    let output = "";
    child.stdout.on("data", (part: Buffer) => (output += part.toString()));
    child.stderr.on("data", (part: Buffer) => (output += part.toString()));
    child.on("close", (status) => {
      rmSync(program);
      done({ output, status });
    });
  });
}

describe.skipIf(!required("webgpu") && !possible)("kernels on WebGPU", () => {
  it("agree with the reference", { timeout: 180_000 }, async () => {
    const { output, status } = await runChild();
    expect(output).not.toMatch(/failed|validation:/); // Dawn says what a shader does wrong, and goes on
    expect(status, output).toBe(0);
  });
});
