/**
 * Builds `@tensorflow/tfjs-node-gpu` over a TensorFlow of today.
 *
 * The package would download TensorFlow 2.9 for CUDA 11 when installed, from a place many networks block. Its
 * sources compile and run unchanged against any later one, because they use TensorFlow's C interface only.
 */

import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { RunError } from "../../run/errors.js";
import type { TensorFlow } from "./tensorflow.node.js";
import { ToolFailed, askTool, runTool } from "./tool.node.js";

export const packageName = "@tensorflow/tfjs-node-gpu";
const packageVersion = "4.22.0";

function failed(what: string, help: string, fault: unknown): RunError {
  if (!(fault instanceof ToolFailed)) throw fault;
  return new RunError({ code: "native-build", what, where: fault.message, help });
}

/** The package in `folder`/node_modules, without its install script. */
export async function installPackage(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  // A manifest of its own keeps npm from installing into some project above.
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: "lsm-native", private: true }),
  );
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  try {
    await runTool("npm", ["install", ...flags, `${packageName}@${packageVersion}`], {
      cwd: folder,
    });
  } catch (fault) {
    throw failed(
      `npm could not install ${packageName}`,
      "check the network and npm's registry, then run it again",
      fault,
    );
  }
  return join(folder, "node_modules", packageName);
}

/** The names that the package's build looks for, as links into TensorFlow. */
function linkTensorFlow(directory: string, tensorflow: TensorFlow): void {
  const lib = join(directory, "deps", "lib");
  mkdirSync(lib, { recursive: true });
  const links = {
    "libtensorflow_cc.so.2": "libtensorflow_cc.so.2",
    "libtensorflow.so": "libtensorflow_cc.so.2",
    "libtensorflow_framework.so.2": "libtensorflow_framework.so.2",
    "libtensorflow_framework.so": "libtensorflow_framework.so.2",
  };
  for (const [name, target] of Object.entries(links))
    symlinkSync(join(tensorflow.directory, target), join(lib, name));
  symlinkSync(join(tensorflow.directory, "include"), join(directory, "deps", "include"));
}

/** npm carries node-gyp; where it lies depends on how npm was installed. */
async function findNodeGyp(): Promise<string> {
  const globals = (await askTool("npm", ["root", "--global"]))?.trim() ?? "";
  const besideNode = join(dirname(dirname(process.execPath)), "lib", "node_modules");
  for (const root of [globals, besideNode]) {
    const program = join(root, "npm", "node_modules", "node-gyp", "bin", "node-gyp.js");
    if (existsSync(program)) return program;
  }
  try {
    return createRequire(import.meta.url).resolve("node-gyp/bin/node-gyp.js");
  } catch {
    throw new RunError({
      code: "native-build",
      what: "node-gyp, which npm brings along, is not there",
      where: globals || besideNode,
      help: 'run "npm install --global node-gyp npm"',
    });
  }
}

export async function buildBinding(directory: string, tensorflow: TensorFlow): Promise<void> {
  linkTensorFlow(directory, tensorflow);
  const program = await findNodeGyp();
  // Node's headers lie beside it when it comes from a full install; else node-gyp downloads them.
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, "include", "node", "node_api.h"))
    ? [`--nodedir=${prefix}`]
    : [];
  const variables = {
    module_name: "tfjs_binding",
    module_path: join(directory, "lib", "napi-v8"),
    napi_build_version: "8",
  };
  const defines = Object.entries(variables).map(([name, value]) => `-D${name}=${value}`);
  // TensorFlow's own folder first: it looks for the CUDA libraries relative to where it was loaded from.
  const env = { LDFLAGS: `-Wl,-rpath,${tensorflow.directory} ${process.env.LDFLAGS ?? ""}`.trim() };
  try {
    await runTool(process.execPath, [program, "rebuild", ...headers, "--", ...defines], {
      cwd: directory,
      env,
    });
  } catch (fault) {
    throw failed(
      "the binding could not be compiled",
      "it needs a C++ compiler, make and python3 (Debian: apt-get install g++ make python3)",
      fault,
    );
  }
}
