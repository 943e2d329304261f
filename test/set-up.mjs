/**
 * Makes the backends that tests must run on, before the tests: `LSM_REQUIRE="node-gpu webgpu"`, which CI
 * sets, names them. Without it tests of backends that are not here are skipped, and this says which.
 */

import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { existsSync } from "node:fs";

const required = (process.env.LSM_REQUIRE ?? "").split(/[\s,]+/).filter(Boolean);
const webgpu = "webgpu@0.6.2"; // Dawn for Node: 132 MB, so nobody else has to have it
const driver = "/usr/lib/chromium/vk_swiftshader_icd.json";

function resolves(name) {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

function run(command, ...args) {
  execFileSync(command, args, { stdio: "inherit" });
}

if (required.includes("webgpu")) {
  if (!existsSync(driver))
    throw new Error(`no SwiftShader at ${driver}: install Debian's chromium`);
  if (!resolves("webgpu")) run("npm", "install", "--no-save", "--no-audit", "--no-fund", webgpu);
}
if (required.includes("node-gpu")) run(process.execPath, "dist/lsm.js", "setup", "native");
if (required.length === 0) {
  process.stdout.write(
    'tests of the node-gpu and webgpu backends run where these are; LSM_REQUIRE="node-gpu webgpu" sets them up\n',
  );
}
