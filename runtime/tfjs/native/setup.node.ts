/**
 * `lsm setup native`: makes the backend node-gpu available, in a folder of the user's own.
 *
 * Everything is built beside the folder's live part and takes its place only once a matmul has run, so an
 * interrupted or failed setup leaves what was there. Running it again when all is well changes nothing.
 */

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RunError } from "../../run/errors.js";
import { buildBinding, installPackage, packageName } from "./binding.node.js";
import { nativeFolder } from "./folder.node.js";
import { type TensorFlow, findTensorFlow, givenTensorFlow } from "./tensorflow.node.js";
import { ToolFailed } from "./tool.node.js";
import { type Proof, verify } from "./verify.node.js";

export interface SetupOptions {
  /** A TensorFlow's folder, the one above it, or a virtual environment. */
  readonly tensorflow?: string;
  /** Where to put it; the folder `chooseBackend` looks in when not given. */
  readonly folder?: string;
}

export interface SetupResult {
  readonly folder: string;
  readonly tensorflow: TensorFlow;
  readonly proof: Proof;
  /** False when it was there already. */
  readonly built: boolean;
}

/** Progress goes to `log`, a line at a time. Throws a `RunError` that says what to do. */
export async function setupNative(
  options: SetupOptions,
  log: (line: string) => void,
): Promise<SetupResult> {
  if (process.platform !== "linux")
    throw new RunError({
      code: "native-platform",
      what: "TensorFlow for Node is built on Linux only, so far",
      where: process.platform,
      help: "use the backend wasm, which is the default, or webgpu",
    });
  const folder = options.folder ?? nativeFolder();
  mkdirSync(folder, { recursive: true });
  const tensorflow = options.tensorflow
    ? givenTensorFlow(options.tensorflow)
    : await findTensorFlow(folder, log);
  log(`TensorFlow (${tensorflow.origin}): ${tensorflow.directory}`);

  const working = await existing(folder, tensorflow);
  if (working) {
    log(`already built and working: ${describe(working)}`);
    return { folder, tensorflow, proof: working, built: false };
  }
  const proof = await build(folder, tensorflow, log);
  log(`ready: ${describe(proof)}, in ${folder}`);
  return { folder, tensorflow, proof, built: true };
}

const describe = ({ tensorflow, gflops }: Proof): string =>
  `TensorFlow ${tensorflow}, matmul at ${gflops.toFixed(0)} GFLOP/s`;

const noteName = "tensorflow.txt"; // which TensorFlow the live part was built over

async function existing(folder: string, { directory }: TensorFlow): Promise<Proof | null> {
  const live = join(folder, "node_modules");
  const note = join(live, noteName);
  if (!existsSync(note) || readFileSync(note, "utf8") !== directory) return null;
  try {
    return await verify(join(live, packageName));
  } catch (fault) {
    if (fault instanceof ToolFailed) return null;
    throw fault;
  }
}

async function build(
  folder: string,
  tensorflow: TensorFlow,
  log: (line: string) => void,
): Promise<Proof> {
  const staging = join(folder, "building");
  rmSync(staging, { recursive: true, force: true });
  const step = async <T>(what: string, work: Promise<T>): Promise<T> => {
    const start = performance.now();
    log(`${what} …`);
    const result = await work;
    log(`${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
    return result;
  };
  try {
    const directory = await step(`installing ${packageName}`, installPackage(staging));
    await step("compiling its binding", buildBinding(directory, tensorflow));
    const proof = await step("running a matmul", prove(directory));
    writeFileSync(join(staging, "node_modules", noteName), tensorflow.directory);
    takePlace(folder, staging);
    return proof;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

async function prove(directory: string): Promise<Proof> {
  try {
    return await verify(directory);
  } catch (fault) {
    if (!(fault instanceof ToolFailed)) throw fault;
    throw new RunError({
      code: "native-build",
      what: "the binding is built, but does not run",
      where: fault.message,
      help: "give another TensorFlow with --tensorflow; version 2.21 is known to work",
    });
  }
}

/** The staged part becomes the live one; the old one goes. */
function takePlace(folder: string, staging: string): void {
  const live = join(folder, "node_modules");
  const old = join(folder, "replaced");
  rmSync(old, { recursive: true, force: true });
  if (existsSync(live)) renameSync(live, old);
  renameSync(join(staging, "node_modules"), live);
  rmSync(old, { recursive: true, force: true });
}
