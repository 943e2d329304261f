/**
 * The causal depthwise convolution and its two gradients, on the layout [lead, T, rest]: `rest` are the
 * weights' letters, `lead` all others. `positions` is each token's place in its document, so tap j reaches
 * back no further than its first token. Kernels go through the tokens in order, channels four at a time.
 *
 *   y[t] = Σⱼ w[j]·x[t−j]      dx[s] = Σⱼ w[j]·dy[s+j]      dw[j] = Σₜ x[t−j]·dy[t]      (j ≤ positions[t])
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { KernelSet, MapKernel } from "../kernel-set.js";
import { common, parseSpec, without } from "../letters.js";
import { buildConvModule } from "./conv-module.js";
import type { Heap, KernelFunction } from "./heap.js";
import type { Maps } from "./map/map.js";
import type { RowMover } from "./rows.js";
import { ShapeCache, type SizeOf } from "./shape-cache.js";

interface ConvPlan {
  /** Rearrangements into the kernels' layout; null where a tensor has it. */
  readonly first: string | null;
  readonly second: string | null;
  /** Makes positions, which may be floats, indices in the kernels' layout. */
  readonly positions: MapKernel;
  readonly positionsInPlace: boolean;
  readonly result: string | null;
  readonly sizes: Readonly<Record<string, number>>;
  /** Shape of what the kernel writes, before `result`. */
  readonly shape: readonly number[];
  readonly lead: number;
  readonly length: number;
  readonly taps: number;
  readonly channels: number;
}

type Convolutions = Pick<KernelSet, "conv" | "convInputGradient" | "convWeightGradient">;

export function createConv(heap: Heap, maps: Maps, rows: RowMover): Convolutions {
  const kernels = heap.instantiate(buildConvModule(heap.shared));
  const plans = new ShapeCache<ConvPlan>();
  const gradientPlans = new ShapeCache<ConvPlan>();

  /** Runs a kernel on operands brought into its layout, and brings its result into the caller's. */
  const run = (
    kernel: KernelFunction,
    plan: ConvPlan,
    first: Tensor,
    second: Tensor,
    positions: Tensor,
    clear: boolean,
  ): Tensor => {
    const made: Tensor[] = [];
    const arranged = (spec: string | null, x: Tensor): Tensor => {
      if (spec === null) return x;
      const copy = maps.rearrange(spec, null, x, plan.sizes);
      made.push(copy);
      return copy;
    };
    const a = arranged(plan.first, first);
    const b = arranged(plan.second, second);
    let places = positions;
    if (positions.dtype !== "int32" || !plan.positionsInPlace)
      made.push((places = maps.run(plan.positions, [positions], plan.sizes)));
    const written = heap.output(plan.shape);
    const to = heap.address(written);
    if (clear) rows.zero(to, 1, written.size, 0);
    const { lead, length, taps, channels } = plan;
    kernel(
      to,
      heap.address(a),
      heap.address(b),
      heap.address(places),
      lead,
      length,
      taps,
      channels,
    );
    for (const tensor of made) tensor.dispose();
    if (plan.result === null) return written;
    const result = maps.rearrange(plan.result, null, written, plan.sizes);
    written.dispose();
    return result;
  };

  const convolve =
    (name: string): KernelSet["conv"] =>
    (spec, axis, taps, x, w, positions) => {
      const shapes = [x.shape, w.shape, positions.shape];
      const plan = plans.get(spec, shapes, (sizeOf) => {
        const { operands, result } = parseSpec(spec);
        const [xs, ws, ps] = operands as [string, string, string];
        const rest = common(result, without(ws, taps + axis));
        const lead = without(result, axis + rest);
        const order = lead + axis + rest;
        return {
          ...planLayout({ axis, taps, lead, rest }, sizeOf),
          first: rearrangement(xs, order),
          second: rearrangement(ws, taps + rest),
          positions: toIndices(ps, lead + axis),
          positionsInPlace: ps === lead + axis,
          result: rearrangement(order, result),
          shape: [...order].map(sizeOf),
        };
      });
      return run(kernels[name]!, plan, x, w, positions, false);
    };

  return {
    conv: convolve("conv"),
    convInputGradient: convolve("convInputGradient"),
    convWeightGradient(spec, axis, taps, size, x, dy, positions) {
      const shapes = [x.shape, dy.shape, positions.shape, [size]];
      const plan = gradientPlans.get(spec, shapes, (known) => {
        const { operands, result } = parseSpec(spec);
        const [xs, ys, ps] = operands as [string, string, string];
        const sizeOf: SizeOf = (letter) => (letter === taps ? size : known(letter));
        const rest = without(result, taps);
        const lead = without(ys, axis + rest);
        const order = lead + axis + rest;
        return {
          ...planLayout({ axis, taps, lead, rest }, sizeOf),
          first: rearrangement(xs, order),
          second: rearrangement(ys, order),
          positions: toIndices(ps, lead + axis),
          positionsInPlace: ps === lead + axis,
          result: rearrangement(taps + rest, result),
          shape: [...(taps + rest)].map(sizeOf),
        };
      });
      return run(kernels["convWeightGradient"]!, plan, x, dy, positions, true);
    },
  };
}

const rearrangement = (from: string, to: string): string | null =>
  from === to ? null : `${from}->${to}`;

function toIndices(from: string, to: string): MapKernel {
  const code = [{ fn: "to_int", arguments: [{ kind: "input", index: 0 } as const] }];
  return { inputs: [from], output: to, reduce: null, code };
}

type Layout = Pick<ConvPlan, "sizes" | "lead" | "length" | "taps" | "channels">;

function planLayout(
  { axis, taps, lead, rest }: Readonly<Record<"axis" | "taps" | "lead" | "rest", string>>,
  sizeOf: SizeOf,
): Layout {
  const count = (letters: string): number =>
    [...letters].reduce((product, letter) => product * sizeOf(letter), 1);
  return {
    sizes: Object.fromEntries([...(lead + axis + rest)].map((letter) => [letter, sizeOf(letter)])),
    lead: count(lead),
    length: sizeOf(axis),
    taps: sizeOf(taps),
    channels: count(rest),
  };
}
