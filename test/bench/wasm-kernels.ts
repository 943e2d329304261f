/** The cases of wasm-kernels.mjs: what a training step of a small linear-attention model calls. */

import type { Tensor } from "@tensorflow/tfjs";
import { chooseBackend } from "../../runtime/tfjs/backend.js";
import { createGenericKernels } from "../../runtime/tfjs/generic/index.js";
import type { Tf } from "../../runtime/tfjs/generic/context.js";
import { defineMap } from "../../runtime/tfjs/map.js";
import type { KernelSet } from "../../runtime/tfjs/kernel-set.js";
import { createWasmKernels } from "../../runtime/tfjs/wasm/index.js";

interface Case {
  readonly name: string;
  readonly unit: "GFLOP/s" | "GB/s";
  /** 10⁹ units of work a call. */
  readonly work: number;
  readonly ours: () => Tensor | readonly Tensor[];
  /** The same by tfjs's own ops, where it has them. */
  readonly theirs: (() => Tensor | readonly Tensor[]) | null;
}

export async function run(filter: string, print: (line: string) => void): Promise<void> {
  const { tf } = await chooseBackend("wasm");
  const generic = createGenericKernels(tf);
  const kernels = createWasmKernels(tf, generic);
  print(
    [
      "kernel".padEnd(52),
      "unit".padEnd(8),
      ...["ours", "tfjs", "ratio", "µs"].map((s) => s.padStart(8)),
    ].join(" "),
  );
  for (const make of [...contractions, ...elementwise, ...others]) {
    const one = make(tf, kernels, generic);
    if (!one.name.includes(filter)) continue;
    const { ours, theirs } = await race(tf, one);
    const rate = (seconds: number): string => (one.work / seconds).toFixed(1).padStart(8);
    const beside = theirs === null ? ["-", "-"] : [rate(theirs), (theirs / ours).toFixed(1)];
    print(
      [
        one.name.padEnd(52),
        one.unit.padEnd(8),
        rate(ours),
        ...beside.map((s) => s.padStart(8)),
        (1e6 * ours).toFixed(1).padStart(8),
      ].join(" "),
    );
  }
}

/** Seconds a call, the best of several rounds taken in turns. */
async function race(
  tf: Tf,
  { ours, theirs }: Case,
): Promise<{ ours: number; theirs: number | null }> {
  const timers = [ours, theirs].filter((one) => one !== null).map((one) => timer(tf, one));
  // V8 compiles hot functions on another thread: give it time before measuring.
  for (const time of timers) time();
  await new Promise((done) => setTimeout(done, 100));
  const best = timers.map(() => Infinity);
  for (let round = 0; round < 12; round++)
    timers.forEach((time, i) => (best[i] = Math.min(best[i]!, time())));
  return { ours: best[0]!, theirs: best[1] ?? null };
}

const roundSeconds = 0.012;

function timer(tf: Tf, call: () => Tensor | readonly Tensor[]): () => number {
  const time = (calls: number): number => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) tf.dispose(call() as Tensor);
    return (performance.now() - start) / 1000 / calls;
  };
  for (let i = 0; i < 5; i++) time(20);
  const calls = Math.max(1, Math.round(roundSeconds / time(3)));
  return () => time(calls);
}

type MakeCase = (tf: Tf, kernels: KernelSet, generic: KernelSet) => Case;

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const dot =
  (
    spec: string,
    a: number[],
    b: number[],
    flops: number,
    transpose: [boolean, boolean] | null,
  ): MakeCase =>
  (tf, kernels) => {
    const [x, y] = [tf.randomNormal(a), tf.randomNormal(b)];
    return {
      name: `dot ${spec} [${a.join()}] [${b.join()}]`,
      unit: "GFLOP/s",
      work: flops / 1e9,
      ours: () => kernels.dot(spec, x, y),
      theirs: transpose && (() => tf.matMul(x, y, ...transpose)),
    };
  };

const contractions: MakeCase[] = [
  ...[64, 256, 512, 1024].flatMap((n) => [
    dot("MK,KN->MN", [n, n], [n, n], 2 * n ** 3, [false, false]),
    dot("KM,KN->MN", [n, n], [n, n], 2 * n ** 3, n <= 512 ? [true, false] : null),
    dot("MK,NK->MN", [n, n], [n, n], 2 * n ** 3, n <= 512 ? [false, true] : null),
  ]),
  dot("MK,KN->MN", [1024, 128], [128, 384], 2 * 1024 * 128 * 384, [false, false]),
  dot("KM,KN->MN", [1024, 128], [1024, 384], 2 * 1024 * 128 * 384, [true, false]),
  dot("MK,NK->MN", [1024, 384], [128, 384], 2 * 1024 * 128 * 384, [false, true]),
  dot("BMK,BKN->BMN", [4, 16, 32], [4, 32, 16], 2 * 4 * 16 * 32 * 16, [false, false]),
  dot("BMK,BKN->BMN", [512, 16, 32], [512, 32, 16], 2 * 512 * 16 * 32 * 16, [false, false]),
  dot("BKM,BKN->BMN", [512, 16, 32], [512, 16, 32], 2 * 512 * 32 * 16 * 32, [true, false]),
  dot("BTHK,BSHK->BHTS", [4, 64, 8, 32], [4, 64, 8, 32], 2 * 4 * 8 * 64 * 64 * 32, null),
  dot("BHTS,BSHK->BTHK", [4, 8, 64, 64], [4, 64, 8, 32], 2 * 4 * 8 * 64 * 64 * 32, null),
  dot("MK,KN->MN", [1, 512], [512, 2048], 2 * 512 * 2048, [false, false]),
  dot("MK,KN->MN", [1024, 512], [512, 1], 2 * 512 * 1024, [false, false]),
  dot("BTHK,BTHK->BTH", [4, 256, 4, 32], [4, 256, 4, 32], 2 * 4 * 256 * 4 * 32, null),
];

const map =
  (
    spec: string,
    formula: string,
    shapes: number[][],
    output: number[],
    reduce?: "sum" | "max",
    theirs?: (tf: Tf, ...x: Tensor[]) => Tensor,
  ): MakeCase =>
  (tf, kernels) => {
    const kernel = defineMap(spec, formula, reduce);
    const inputs = shapes.map((shape) => tf.randomUniform(shape, 0.1, 2));
    const sizes = Object.fromEntries(
      kernel.inputs.flatMap((letters, i) =>
        [...letters].map((letter, axis) => [letter, shapes[i]![axis]!]),
      ),
    );
    return {
      name: `map ${spec}: ${formula}`,
      unit: "GB/s",
      work: (4 * [...shapes, output].reduce((sum, shape) => sum + count(shape), 0)) / 1e9,
      ours: () => kernels.map(kernel, inputs, sizes),
      theirs: theirs ? () => tf.tidy(() => theirs(tf, ...inputs)) : null,
    };
  };

const [B, T, H, K, D] = [4, 256, 4, 32, 128];

const elementwise: MakeCase[] = [
  map("x:, y: ->", "x + y", [[], []], [], undefined, (tf, x, y) => tf.add(x, y)),
  map(
    "x:BTD, y:BTD -> BTD",
    "x + y",
    [
      [B, T, D],
      [B, T, D],
    ],
    [B, T, D],
    undefined,
    (tf, x, y) => tf.add(x, y),
  ),
  map("x:BTD, y:D -> BTD", "x * y", [[B, T, D], [D]], [B, T, D], undefined, (tf, x, y) =>
    tf.mul(x, y),
  ),
  map(
    "x:BTHK, g:BTH -> BTHK",
    "x * exp(g)",
    [
      [B, T, H, K],
      [B, T, H],
    ],
    [B, T, H, K],
    undefined,
    (tf, x, g) => tf.mul(x, tf.expandDims(tf.exp(g), 3)),
  ),
  ...["exp", "log", "sigmoid", "tanh", "softplus", "sin", "expm1", "log1p"].map((fn) =>
    map("x:BTD -> BTD", `${fn}(x)`, [[B, T, D]], [B, T, D], undefined, (tf, x) =>
      tf[fn as "exp"](x),
    ),
  ),
  map("x:BTD -> BTD", "x ^ 1.7", [[B, T, D]], [B, T, D], undefined, (tf, x) => tf.pow(x, 1.7)),
  map(
    "x:BTD, y:BTD -> BTD",
    "x * sigmoid(x) * y",
    [
      [B, T, D],
      [B, T, D],
    ],
    [B, T, D],
    undefined,
    (tf, x, y) => tf.mul(tf.mul(x, tf.sigmoid(x)), y),
  ),
  map("x:BTD -> BT", "square(x)", [[B, T, D]], [B, T], "sum", (tf, x) => tf.sum(tf.square(x), 2)),
  map(
    "x:BTD, y:BTD -> D",
    "x * y",
    [
      [B, T, D],
      [B, T, D],
    ],
    [D],
    "sum",
    (tf, x, y) => tf.sum(tf.mul(x, y), [0, 1]),
  ),
  map("x:BTD ->", "square(x)", [[B, T, D]], [], "sum", (tf, x) => tf.sum(tf.square(x))),
  map("x:BTHK -> BTK", "x", [[B, T, H, K]], [B, T, K], "max", (tf, x) => tf.max(x, 2)),
  map("x:BTD -> BT", "x", [[B, T, 3]], [B, T], "sum", (tf, x) => tf.sum(x, 2)),
  map(
    "x:BTH, y:BTK -> BTHK",
    "x * y",
    [
      [B, T, H],
      [B, T, K],
    ],
    [B, T, H, K],
  ),
];

/** A kernel beside the generic one, which is made of tfjs's ops. */
const against =
  (
    name: string,
    bytes: number,
    call: (kernels: KernelSet, tf: Tf) => () => Tensor | readonly Tensor[],
  ): MakeCase =>
  (tf, kernels, generic) => ({
    name,
    unit: "GB/s",
    work: bytes / 1e9,
    ours: call(kernels, tf),
    theirs: call(generic, tf),
  });

const others: MakeCase[] = [
  against("expand BTHK->BHTK", 8 * B * T * H * K, (k, tf) => {
    const x = tf.randomNormal([B, T, H, K]);
    return () => k.expand("BTHK->BHTK", x, {});
  }),
  against("expand MN->NM [512,512]", 8 * 512 * 512, (k, tf) => {
    const x = tf.randomNormal([512, 512]);
    return () => k.expand("MN->NM", x, {});
  }),
  against("expand BTH->BHT", 8 * B * T * H, (k, tf) => {
    const x = tf.randomNormal([B, T, H]);
    return () => k.expand("BTH->BHT", x, {});
  }),
  against("slice BTD, half of D", 8 * B * T * 64, (k, tf) => {
    const x = tf.randomNormal([B, T, D]);
    return () => k.slice(x, 2, 32, 64);
  }),
  against("concat BTD, BTD along D", 16 * B * T * D, (k, tf) => {
    const x = tf.randomNormal([B, T, D]);
    return () => k.concat([x, x], 2);
  }),
  against("shift BTD along T", 8 * B * T * D, (k, tf) => {
    const x = tf.randomNormal([B, T, D]);
    return () => k.shift(x, 1, 1);
  }),
  against("take VD,BT->BTD", 8 * B * T * D, (k, tf) => {
    const table = tf.randomNormal([256, D]);
    const ids = tf.randomUniform([B, T], 0, 256, "int32");
    return () => k.take("VD,BT->BTD", "V", table, ids);
  }),
  against("put BT,BTD->VD", 4 * B * T * D + 4 * 256 * D, (k, tf) => {
    const values = tf.randomNormal([B, T, D]);
    const ids = tf.randomUniform([B, T], 0, 256, "int32");
    return () => k.put("BT,BTD->VD", "V", 256, ids, values);
  }),
  against("topK BTE, 2 of 16", 4 * B * T * 18, (k, tf) => {
    const x = tf.randomNormal([B, T, 16]);
    return () => k.topK(x, 2, 2);
  }),
  against("argsort A [4096]", 8 * 4096, (k, tf) => {
    const x = tf.randomNormal([4096]);
    return () => k.argsort(x, 0);
  }),
  against("cumulate BTH along T", 8 * B * T * H, (k, tf) => {
    const x = tf.randomNormal([B, T, H]);
    return () => k.cumulate(x, "sum", 1, false, false);
  }),
  against("cumulate BTD along T", 8 * B * T * D, (k, tf) => {
    const x = tf.randomNormal([B, T, D]);
    return () => k.cumulate(x, "sum", 1, false, false);
  }),
  against(
    "solve BHRC,BHRV->BHRV [4,16,64,64] [4,16,64,32]",
    4 * 64 * (64 * 64 + 2 * 64 * 32),
    (k, tf) => {
      const l = tf.randomNormal([4, 16, 64, 64], 0, 0.1);
      const b = tf.randomNormal([4, 16, 64, 32]);
      return () => k.solve("BHRC,BHRV->BHRV", "R", "C", false, l, b);
    },
  ),
  ...[conv("conv"), conv("convInputGradient")],
  against("convWeightGradient BTHK,BTHK,BT->JHK, 4 taps", 8 * B * T * H * K, (k, tf) => {
    const x = tf.randomNormal([B, T, H, K]);
    const positions = tf.ones([B, T], "int32").mul(9) as Tensor;
    return () => k.convWeightGradient("BTHK,BTHK,BT->JHK", "T", "J", 4, x, x, positions);
  }),
  (tf, kernels, generic) => {
    const [x, w] = [tf.randomNormal([2048, 128]), tf.randomNormal([8, 128, 256])];
    const ids = tf.randomUniform([2048], 0, 8, "int32");
    const call = (k: KernelSet) => () => k.groupedDot("SD,EDF,S->SF", "E", x, w, ids);
    return {
      name: "groupedDot SD,EDF,S->SF [2048,128] [8,128,256]",
      unit: "GFLOP/s",
      work: (2 * 2048 * 128 * 256) / 1e9,
      ours: call(kernels),
      theirs: call(generic),
    };
  },
  (tf, kernels, generic) => {
    const [x, y] = [tf.randomNormal([2048, 128]), tf.randomNormal([2048, 256])];
    const ids = tf.randomUniform([2048], 0, 8, "int32");
    const call = (k: KernelSet) => () => k.groupedOuter("SD,SF,S->EDF", "E", 8, x, y, ids);
    return {
      name: "groupedOuter SD,SF,S->EDF [2048,128] [2048,256]",
      unit: "GFLOP/s",
      work: (2 * 2048 * 128 * 256) / 1e9,
      ours: call(kernels),
      theirs: call(generic),
    };
  },
  against("adamw [128,384]", 28 * 128 * 384, (k, tf) => {
    const [p, g, m, v] = [0, 0, 0, 0].map(() => tf.randomUniform([128, 384]));
    const options = {
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-8,
      decay: 0.1,
      rate: 1e-3,
      step: 3,
      scale: 1,
    };
    return () => k.adamw(options, p!, g!, m!, v!);
  }),
  against("scan BTHK, 64 steps: s = s * g + x", 8 * B * 64 * H * K, (k, tf) => {
    const [x, g] = [tf.randomNormal([B, 64, H, K]), tf.randomUniform([B, 64, H])];
    const start = tf.zeros([B, H, K]);
    const update = defineMap("s:BHK, g:BH, x:BHK -> BHK", "s * g + x");
    const options = {
      axis: "T",
      length: 64,
      sequences: ["BTHK", "BTH"],
      outputs: ["BTHK"],
      states: ["BHK"],
      reverse: false,
      resets: null,
      wanted: { outputs: [true], finals: [true], befores: [false] },
    };
    return () => {
      const result = k.scan(options, [start], [x, g], [], ([s], [xt, gt]) => {
        const next = k.map(update, [s!, gt!, xt!], {});
        return { states: [next], outputs: [next] };
      });
      return [...result.outputs, ...result.finals].filter((tensor) => tensor !== null);
    };
  }),
];

function conv(name: "conv" | "convInputGradient"): MakeCase {
  return against(`${name} BTHK,JHK,BT->BTHK, 4 taps`, 8 * B * T * H * K, (k, tf) => {
    const [x, w] = [tf.randomNormal([B, T, H, K]), tf.randomNormal([4, H, K])];
    const positions = tf.ones([B, T], "int32").mul(9) as Tensor;
    return () => k[name]("BTHK,JHK,BT->BTHK", "T", "J", x, w, positions);
  });
}
