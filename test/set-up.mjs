/**
 * Makes the backends that tests must run on, before the tests: `LSM_REQUIRE="node-gpu webgpu torch"`, which CI
 * sets, names them. Without it tests of backends that are not here are skipped, and this says which.
 */

import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { existsSync, readFileSync } from "node:fs";

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
if (required.includes("torch") || required.includes("fla")) setUpPython();
if (required.length === 0) {
  process.stdout.write(
    'tests of the node-gpu and webgpu backends and of PyTorch run where these are; LSM_REQUIRE="node-gpu webgpu torch" sets them up\n',
  );
}

/** A Python of the tests' own in .venv with what test/requirements.txt pins; nothing to do where it has all that. */
function setUpPython() {
  const python = ".venv/bin/python";
  const pinned = readFileSync("test/requirements.txt", "utf8").split("\n").filter(Boolean);
  // its kernels are compared with, its own dependencies are not wanted
  const bare = ["flash-linear-attention==0.5.2", "fla-core==0.5.2"];
  if (!existsSync(python)) run("python3", "-m", "venv", ".venv");
  const missing = [...pinned, ...bare].filter((requirement) => !isInstalled(python, requirement));
  if (missing.length === 0) return;
  try {
    const wanted = missing.filter((one) => !bare.includes(one));
    if (wanted.length > 0) run(python, "-m", "pip", "install", "-q", ...wanted);
    const without = missing.filter((one) => bare.includes(one));
    if (without.length > 0) run(python, "-m", "pip", "install", "-q", "--no-deps", ...without);
  } catch {
    throw new Error(
      `pip could not install ${missing.join(" ")} into .venv: see above; without the torch in LSM_REQUIRE its tests are skipped`,
    );
  }
}

/** True where a package has the pinned version, whatever build of it (`2.13.0+cpu`). */
function isInstalled(python, requirement) {
  const [name, version] = requirement.split("==");
  const code = `import importlib.metadata as m; print(m.version("${name}").split("+")[0])`;
  try {
    return (
      execFileSync(python, ["-c", code], { encoding: "utf8", stdio: "pipe" }).trim() === version
    );
  } catch {
    return false;
  }
}
