/**
 * The TensorFlow to build on: the one given, the one installed by an earlier setup, the one Python has, else a
 * fresh one from pip. Only its two libraries and its headers are used; Python itself never runs it.
 */

import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { RunError } from "../../run/errors.js";
import { askTool, runTool } from "./tool.node.js";

export interface TensorFlow {
  /** The folder that holds the libraries and `include`. */
  readonly directory: string;
  readonly origin: string;
}

export const tensorflowVersion = "2.21.0";

const libraries = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];

function isTensorFlow(directory: string): boolean {
  return [...libraries, join("include", "tensorflow", "c", "c_api.h")].every((file) =>
    existsSync(join(directory, file)),
  );
}

/** Where a TensorFlow may lie when a user names its folder, the one above, or a virtual environment. */
function placesUnder(path: string): string[] {
  const places = [path, join(path, "tensorflow")];
  const lib = join(path, "lib");
  if (existsSync(lib) && statSync(lib).isDirectory())
    for (const name of readdirSync(lib))
      places.push(join(lib, name, "site-packages", "tensorflow"));
  return places;
}

export function givenTensorFlow(path: string): TensorFlow {
  const directory = placesUnder(resolve(path)).find(isTensorFlow);
  if (directory) return { directory, origin: "given" };
  throw new RunError({
    code: "tensorflow-missing",
    what: "there is no TensorFlow here",
    where: path,
    help: `give the folder that holds ${libraries.join(", ")} and include/ (for example .venv/lib/python3.12/site-packages/tensorflow)`,
  });
}

async function pythonsTensorFlow(): Promise<TensorFlow | null> {
  const script =
    "import importlib.util as u; s = u.find_spec('tensorflow'); print(s.origin if s else '')";
  const origin = (await askTool("python3", ["-c", script]))?.trim();
  const directory = origin ? dirname(origin) : "";
  return directory !== "" && isTensorFlow(directory)
    ? { directory, origin: "python3's own" }
    : null;
}

const hasNvidiaGpu = async (): Promise<boolean> =>
  (await askTool("nvidia-smi", ["-L"]))?.startsWith("GPU") ?? false;

export async function findTensorFlow(
  folder: string,
  log: (line: string) => void,
): Promise<TensorFlow> {
  const gpu = await hasNvidiaGpu();
  const target = join(folder, `tensorflow-${tensorflowVersion}-${gpu ? "cuda" : "cpu"}`);
  const own = { directory: join(target, "tensorflow"), origin: "from pip" };
  if (isTensorFlow(own.directory)) return own;
  const found = await pythonsTensorFlow();
  if (found) return found;

  // Without its dependencies: the libraries stand alone. The CUDA build finds the libraries of CUDA beside it.
  const packages = gpu
    ? [`tensorflow[and-cuda]==${tensorflowVersion}`]
    : ["--no-deps", `tensorflow-cpu==${tensorflowVersion}`];
  log(
    `installing ${packages.at(-1)} from pip (${gpu ? "some 4 GB" : "270 MB"}), as python3 has none`,
  );
  const partial = `${target}.partial`;
  rmSync(partial, { recursive: true, force: true });
  try {
    await runTool("python3", [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--no-compile",
      "--target",
      partial,
      ...packages,
    ]);
  } catch (fault) {
    rmSync(partial, { recursive: true, force: true });
    throw new RunError({
      code: "tensorflow-missing",
      what: "no TensorFlow is installed, and pip could not install one",
      where: (fault as Error).message,
      help: "install TensorFlow in another way and give its folder with --tensorflow",
    });
  }
  rmSync(target, { recursive: true, force: true });
  renameSync(partial, target);
  return own;
}
