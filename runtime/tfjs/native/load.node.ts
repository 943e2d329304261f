/** Finds and loads `@tensorflow/tfjs-node(-gpu)`: the project's own, or the one `lsm setup native` built. */

import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { nativeFolder } from "./folder.node.js";

export interface NativePackage {
  readonly name: string;
  readonly directory: string;
}

/** The package whose binding has been built; one installed without it (no network) does not count. */
export function findNative(name: string, folder = nativeFolder()): NativePackage | null {
  const places = [import.meta.url, join(process.cwd(), "index.js"), join(folder, "index.js")];
  for (const place of places) {
    try {
      const directory = dirname(createRequire(place).resolve(`${name}/package.json`));
      if (existsSync(join(directory, "lib", "napi-v8", "tfjs_binding.node")))
        return { name, directory };
    } catch {
      // not installed there
    }
  }
  return null;
}

/** Registers the backend "tensorflow" with tfjs, and starts it. */
export function loadNative({ directory }: NativePackage): void {
  const require = createRequire(join(directory, "package.json"));
  // tfjs-node still calls it; Node 23 took it away.
  const util = require("node:util") as { isNullOrUndefined?: (value: unknown) => boolean };
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2"; // only errors: it greets with a list of CPU features otherwise
  // It brings a copy of tfjs along, but engine and kernel registry are global, so one copy serves the other.
  require(directory);
}

/** Whether NVIDIA's driver runs here: TensorFlow is worth its start-up only on a GPU. */
export function hasGpu(): boolean {
  return existsSync("/proc/driver/nvidia/version");
}
