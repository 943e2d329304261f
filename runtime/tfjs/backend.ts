/**
 * Which tfjs backend runs the program: the one asked for, else the best there is.
 *
 *   node-gpu, node   TensorFlow, where `lsm setup native` or npm has put it
 *   webgpu           where there is a real adapter
 *   wasm             the default
 *   cpu              when all else fails
 */

import {
  type BackendName,
  type Candidate,
  type OwnKernels,
  backendNames,
  inNode,
} from "./backends/candidate.js";
import { cpu } from "./backends/cpu.js";
import { node, nodeGpu } from "./backends/native.js";
import { wasm } from "./backends/wasm.js";
import { webgpu } from "./backends/webgpu.js";
import { createGenericKernels } from "./generic/index.js";
import type { Tf } from "./generic/context.js";
import { RunError } from "../run/errors.js";
import type { KernelSet } from "./kernel-set.js";
import type { Recorder } from "./recorder.js";

export type { BackendName } from "./backends/candidate.js";

export interface Backend {
  readonly tf: Tf;
  readonly name: BackendName;
  readonly kernels: KernelSet;
  /** Where many small calls cost more than their work: what keeps them and runs them as one. */
  readonly recorder?: Recorder;
  /** One line: what was chosen and why. */
  readonly why: string;
}

const candidates: readonly Candidate[] = inNode
  ? [nodeGpu, node, webgpu, wasm, cpu]
  : [webgpu, wasm, cpu];

/** Throws a `RunError` when the one asked for cannot be used. */
export async function chooseBackend(requested?: BackendName): Promise<Backend> {
  const tf = await importTfjs();
  tf.enableProdMode();
  return requested ? askedFor(tf, requested) : bestOf(tf);
}

async function askedFor(tf: Tf, name: BackendName): Promise<Backend> {
  if (!backendNames.includes(name))
    throw unusable(
      name,
      `there is no backend "${String(name)}"`,
      `use one of ${backendNames.join(", ")}`,
    );
  const candidate = candidates.find((one) => one.name === name);
  if (!candidate)
    throw unusable(name, `backend ${name} does not run in a browser`, "use webgpu, wasm or cpu");
  const start = await candidate.start(tf, true);
  if (!start.started) throw unusable(name, start.because, start.remedy);
  return running(tf, name, start.own, `backend ${start.what}: as asked`);
}

async function bestOf(tf: Tf): Promise<Backend> {
  let better = ""; // what stands in the way of the best one
  for (const candidate of candidates) {
    const start = await candidate.start(tf, false);
    if (start.started)
      return running(
        tf,
        candidate.name,
        start.own,
        `backend ${start.what}: ${better || "the fastest kind there is"}`,
      );
    better ||= `${start.because}; ${start.remedy}`;
  }
  throw unusable("cpu", "no backend starts, not even cpu", better);
}

function unusable(name: BackendName, what: string, help: string): RunError {
  return new RunError({ code: "backend-missing", what, where: `backend ${name}`, help });
}

async function running(
  tf: Tf,
  name: BackendName,
  own: OwnKernels | undefined,
  why: string,
): Promise<Backend> {
  await tf.ready();
  if (own) return { tf, name, ...own, why };
  if (name === "node-gpu" || name === "node") return native(tf, name, why);
  const generic = createGenericKernels(tf);
  const kernels = name === "wasm" && simd(tf) ? await wasmKernels(tf, generic) : generic;
  return { tf, name, kernels, why };
}

async function native(tf: Tf, name: BackendName, why: string): Promise<Backend> {
  const [{ createNativeKernels }, { NativeRecorder }] = await Promise.all([
    import("./native/kernels/index.js"),
    import("./native/graph/recorder.node.js"),
  ]);
  return { tf, name, kernels: createNativeKernels(tf), why, recorder: new NativeRecorder(tf) };
}

async function wasmKernels(tf: Tf, generic: KernelSet): Promise<KernelSet> {
  const { createWasmKernels } = await import("./wasm/index.js");
  const startTeam = inNode ? (await import("./wasm/threads/workers.node.js")).startTeam : null;
  return createWasmKernels(tf, generic, startTeam);
}

const simd = (tf: Tf): boolean => tf.env().getBool("WASM_HAS_SIMD_SUPPORT");

/** The union package: in Node it is CommonJS, whose exports come as one object. */
async function importTfjs(): Promise<Tf> {
  const loaded = (await import("@tensorflow/tfjs")) as Tf & { readonly default?: Tf };
  return loaded.default ?? loaded;
}
