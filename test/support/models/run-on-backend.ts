/** Starts on-backend.ts in a process of its own for one backend, and says which backends are here. */

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import type { BackendName } from "../../../runtime/tfjs/index.js";
import { required } from "../required.js";
import { modelCases } from "./cases.js";

const root = resolve(import.meta.dirname, "../../..");
const swiftShader = "/usr/lib/chromium";
const driver = join(swiftShader, "vk_swiftshader_icd.json");

export interface BackendRun {
  readonly backend: BackendName;
  readonly cases: number; // how many of the models
  readonly time: number;
  readonly available: boolean;
}

function resolves(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** SwiftShader takes long to compile each shader, so sequences are short there; shapes decide how many there are. */
export const backendRuns: readonly BackendRun[] = [
  { backend: "cpu", cases: modelCases.length, time: 7, available: true },
  { backend: "wasm", cases: modelCases.length, time: 19, available: true },
  {
    backend: "node-gpu",
    cases: modelCases.length,
    time: 7,
    available: required("node-gpu") || nativeIsThere(),
  },
  {
    backend: "webgpu",
    cases: modelCases.length,
    time: 3,
    available: required("webgpu") || (resolves("webgpu") && existsSync(driver)),
  },
];

function nativeIsThere(): boolean {
  return (
    resolves("@tensorflow/tfjs-node-gpu") ||
    existsSync(join(process.env["HOME"] ?? "", ".cache/lsm/native"))
  );
}

/** The JSON lines the program prints; throws with its whole output when it fails. */
export async function runOnBackend(
  backend: BackendName,
  cases: number,
  time: number,
): Promise<unknown[]> {
  const folder = join(root, "node_modules", ".cache", "lsm");
  mkdirSync(folder, { recursive: true });
  const program = join(folder, `on-${backend}-${process.pid}.mjs`);
  await build({
    entryPoints: [join(root, "test/support/models/on-backend.ts")],
    outfile: program,
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    logLevel: "error",
  });
  const software = {
    VK_DRIVER_FILES: driver,
    XDG_RUNTIME_DIR: "/tmp",
    LD_LIBRARY_PATH: swiftShader,
  };
  const env = backend === "webgpu" ? { ...process.env, ...software } : process.env;
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [program, backend, String(cases), String(time)], {
      cwd: root,
      env,
    });
    let [output, errors] = ["", ""];
    child.stdout.on("data", (part: Buffer) => (output += part.toString()));
    child.stderr.on("data", (part: Buffer) => (errors += part.toString()));
    child.on("close", (status) => {
      rmSync(program, { force: true });
      if (status !== 0) fail(new Error(`${backend} ended with ${status}:\n${output}\n${errors}`));
      else
        done(
          output
            .split("\n")
            .filter((line) => line.startsWith("{"))
            .map((line) => JSON.parse(line) as unknown),
        );
    });
  });
}
