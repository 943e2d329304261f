/**
 * The end of a recorded training step, on the GPU alone: the gradients' global norm, clipping, AdamW or Muon in place,
 * and nothing of it when anything is not finite.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { UpdateHandle } from "../../recorder.js";
import { type OptimizerSettings, muonFor } from "../../train/settings.js";
import type { TrainState } from "../../train/state.js";
import type { GradientResult, ParameterSpec } from "../../train/trainable.js";
import { controlSize, controlValues, stepInPlace } from "../adamw.js";
import type { Products } from "../../muon.js";
import { muonInPlace } from "../muon.js";
import type { Kernels } from "../kernel.js";
import type { Storage } from "../launch.js";
import { type Program, elementwise, literal, program } from "../wgsl/shader.js";

/** Partial sums of squares of each gradient; those that a small one has no need of stay 0. */
const parts = 64;
/** Elements that are worth another workgroup. */
const share = 2048;

/** [8]: the four of `UpdateHandle.metrics`; then 1 once a step was not finite, and no step since. */
const metricsSize = 8;

export class GpuUpdate implements UpdateHandle {
  readonly control: Storage;
  readonly sums: Tensor;
  readonly metrics: Tensor;
  readonly #kernels: Kernels;
  readonly #products: Products;
  readonly #parameters: readonly ParameterSpec[];
  readonly #paths: readonly string[];
  readonly #optimizer: OptimizerSettings;

  constructor(
    kernels: Kernels,
    products: Products,
    fresh: (size: number) => Tensor,
    parameters: readonly ParameterSpec[],
    optimizer: OptimizerSettings,
  ) {
    this.#kernels = kernels;
    this.#products = products;
    this.#optimizer = optimizer;
    this.#parameters = parameters;
    this.#paths = parameters.filter(({ trainable }) => trainable).map(({ path }) => path);
    this.control = kernels.gpu.allocate(4 * controlSize);
    this.sums = fresh(Math.max(1, this.#paths.length) * parts);
    this.metrics = fresh(metricsSize);
  }

  set(rate: number, step: number): void {
    const { betas } = this.#optimizer;
    const values = controlValues({ beta1: betas[0], beta2: betas[1] }, { rate, step, scale: 1 });
    this.#kernels.gpu.memory.write(this.control.buffer!, values);
  }

  async squares(): Promise<ReadonlyMap<string, number>> {
    const sums = await this.sums.data<"float32">();
    const squares = this.#paths.map((path, i): [string, number] => [
      path,
      sums.slice(i * parts, (i + 1) * parts).reduce((total, one) => total + one, 0),
    ]);
    return new Map(squares);
  }

  free(): void {
    this.#kernels.gpu.release(this.control);
    this.sums.dispose();
    this.metrics.dispose();
  }

  record(
    state: TrainState,
    { loss, objective, gradients, updates }: GradientResult,
    clip: number | null,
  ): void {
    const kernels = this.#kernels;
    const { gpu } = kernels;
    const optimizer = this.#optimizer;
    const storage = (tensor: Tensor): Storage => gpu.storage(tensor);
    const [sums, metrics] = [this.sums, this.metrics].map(storage) as [Storage, Storage];
    this.#paths.forEach((path, i) => {
      const gradient = gradients[path]!;
      const squares = kernels.program(`squares ${gradient.size}`, () =>
        squaresProgram(gradient.size),
      );
      kernels.run(squares, [storage(gradient), sums], i);
    });
    const count = this.#paths.length * parts;
    const norm = kernels.program(`norm ${count} ${clip}`, () => normProgram(count, clip));
    kernels.run(norm, [sums, storage(loss), storage(objective), metrics, this.control]);
    const [beta1, beta2] = optimizer.betas;
    for (const parameter of this.#parameters) {
      const { path, trainable, decay: decays } = parameter;
      if (!trainable) {
        const update = updates[path];
        if (!update) continue;
        const replace = kernels.program(`replace ${update.size}`, () =>
          replaceProgram(update.size),
        );
        kernels.run(replace, [storage(update), this.control, storage(state.weights[path]!)]);
        continue;
      }
      const byMuon = muonFor(optimizer, parameter);
      if (byMuon) {
        const tensors = [state.weights, state.momentum, gradients].map((map) => map[path]!);
        muonInPlace(kernels, this.#products, byMuon, tensors, this.control);
        continue;
      }
      const constants = {
        beta1,
        beta2,
        epsilon: optimizer.epsilon,
        decay: decays ? optimizer.decay : 0,
      };
      const own = [state.weights, state.m, state.v, gradients].map((map) => storage(map[path]!));
      stepInPlace(kernels, constants, gradients[path]!.size, own, this.control);
    }
  }
}

/** Σ g² over a share of the gradient for each workgroup, into the gradient's own places of `sums`. */
function squaresProgram(count: number): Program {
  const threads = count > 1024 ? 256 : 64;
  const blocks = Math.min(parts, Math.ceil(count / share));
  return program({
    bindings: [
      { name: "g", element: "f32", access: "read" },
      { name: "sums", element: "f32", access: "write" },
    ],
    threads,
    blocks,
    stepped: true,
    declarations: `var<workgroup> total: array<f32, ${threads}>;`,
    body: `if (block >= ${blocks}u) { return; }
var own = 0f;
for (var i = block * ${threads}u + lane; i < ${count}u; i += ${blocks * threads}u) { own += g[i] * g[i]; }
total[lane] = own;
${addUp(threads)}
if (lane == 0u) { sums[step.at * ${parts}u + block] = total[0]; }`,
  });
}

/** The sum of all of `total` into its first element. */
function addUp(threads: number): string {
  const halves = Array.from({ length: Math.log2(threads) }, (_, i) => threads / 2 ** (i + 1));
  return halves
    .map(
      (half) => `workgroupBarrier();
if (lane < ${half}u) { total[lane] += total[lane + ${half}u]; }`,
    )
    .join("\n");
}

/** ‖g‖, the factor min(1, clip / ‖g‖), and whether to step. Exponents of all ones are infinities and NaNs. */
function normProgram(count: number, clip: number | null): Program {
  const threads = 256;
  return program({
    bindings: [
      ...["sums", "loss", "objective"].map(
        (name) => ({ name, element: "f32", access: "read" }) as const,
      ),
      ...["metrics", "control"].map((name) => ({ name, element: "f32", access: "write" }) as const),
    ],
    threads,
    blocks: 1,
    declarations: `var<workgroup> total: array<f32, ${threads}>;
fn finite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }`,
    body: `var own = 0f;
for (var i = lane; i < ${count}u; i += ${threads}u) { own += sums[i]; }
total[lane] = own;
${addUp(threads)}
if (lane == 0u) {
let norm = sqrt(total[0]);
let good = finite(total[0]) && finite(loss[0]) && finite(objective[0]) && metrics[4] == 0f;
metrics[0] = loss[0];
metrics[1] = objective[0];
metrics[2] = norm;
metrics[3] = select(0f, 1f, good);
if (!good) { metrics[4] = 1f; }
control[3] = ${clip === null ? "1f" : `select(1f, ${literal(clip)} / norm, norm > ${literal(clip)})`};
control[4] = metrics[3];
}`,
  });
}

/** y ← x, if the step is made. */
function replaceProgram(count: number): Program {
  return elementwise({
    bindings: [
      { name: "x", element: "u32", access: "read" },
      { name: "control", element: "f32", access: "read" },
      { name: "y", element: "u32", access: "write" },
    ],
    count,
    body: "if (control[4] != 0f) { y[i] = x[i]; }",
  });
}
