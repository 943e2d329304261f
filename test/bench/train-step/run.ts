/**
 * A training step of the compiled model beside the same model in other hands: plain tfjs, PyTorch. Every peer
 * is a process of its own that makes a step when asked; they take turns, so that a busy machine slows all alike.
 * Run by train-step.mjs; arguments: `--quick`, `--only NAME`, `--rounds N`, `--peers A,B`,
 * `--threads N` (of every peer but plain tfjs, which has one).
 */

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { type BenchCase, cases } from "./cases.js";
import type { Measured } from "./serve.js";
import { writeCase } from "./weights.js";

const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    rounds: { type: "string" },
    peers: { type: "string", default: "wasm,node-gpu,torch,tfjs" },
    threads: { type: "string", default: "2" },
  },
});
const bundles = process.env["LSM_BENCH_BUNDLES"]!;
const python = ".venv/bin/python";
const slowest = 20; // seconds; a peer whose second step takes longer makes no more

interface PeerKind {
  readonly name: string;
  readonly what: string;
  readonly command: (folder: string) => readonly string[];
  /** Whether it is here. */
  readonly there: boolean;
}

const peers: readonly PeerKind[] = [
  {
    name: "wasm",
    what: "compiled, wasm",
    command: (folder) => [process.execPath, `${bundles}/compiled.mjs`, folder, "wasm"],
    there: true,
  },
  {
    name: "node-gpu",
    what: "compiled, node-gpu over TensorFlow",
    command: (folder) => [process.execPath, `${bundles}/compiled.mjs`, folder, "node-gpu"],
    there: true,
  },
  {
    name: "torch",
    what: "PyTorch eager",
    command: (folder) => [python, "test/bench/train-step/torch_peer.py", folder, flags.threads],
    there: existsSync(python),
  },
  {
    name: "tfjs",
    what: "plain tfjs by hand, wasm",
    command: (folder) => [process.execPath, `${bundles}/plain-tfjs.mjs`, folder],
    there: true,
  },
];

class Peer {
  readonly steps: Measured[] = [];
  readonly #lines: AsyncIterator<string>;
  readonly #process: ChildProcess;

  constructor(
    readonly kind: PeerKind,
    folder: string,
  ) {
    const [command, ...rest] = kind.command(folder);
    const { threads } = flags;
    const env = {
      ...process.env,
      LSM_THREADS: threads,
      TF_NUM_INTRAOP_THREADS: threads,
      TF_NUM_INTEROP_THREADS: threads,
    };
    this.#process = spawn(command!, rest, { stdio: ["pipe", "pipe", "pipe"], env });
    let errors = "";
    this.#process.stderr!.on("data", (chunk) => (errors += String(chunk)));
    this.#process.on("exit", (status) => {
      if (status !== 0) process.stderr.write(`${kind.name} failed:\n${errors.slice(-2000)}\n`);
    });
    this.#lines = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
  }

  async ready(): Promise<boolean> {
    return (await this.#lines.next()).value === "ready";
  }

  async step(): Promise<void> {
    this.#process.stdin!.write("step\n");
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.kind.name} ended before its step was done`);
    this.steps.push(JSON.parse(value) as Measured);
  }

  end(): void {
    this.#process.stdin!.end("end\n");
  }
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1]!;

interface Row {
  readonly bench: BenchCase;
  readonly parameters: number;
  readonly times: ReadonlyMap<string, { readonly wall: number; readonly cpu: number }>;
}

async function measure(bench: BenchCase, rounds: number): Promise<Row> {
  const folder = `${bundles}/${bench.name}-${bench.time}`;
  const parameters = writeCase(folder, bench);
  const wanted = new Set(flags.peers.split(","));
  const running: Peer[] = [];
  for (const kind of peers) {
    if (!wanted.has(kind.name) || !kind.there) continue;
    const peer = new Peer(kind, folder);
    if (await peer.ready()) running.push(peer);
  }
  for (let i = 0; i < 2; i++) for (const peer of running) await peer.step();
  sameLosses(running);
  for (let i = 0; i < rounds; i++)
    for (const peer of running) if (peer.steps[1]!.wall < slowest) await peer.step();
  for (const peer of running) peer.end();
  rmSync(folder, { recursive: true });
  const times = running.map(({ kind, steps }) => {
    const counted = steps.length > 2 ? steps.slice(2) : steps.slice(1); // two steps to warm up
    const of = (key: "wall" | "cpu"): number => median(counted.map((one) => one[key]));
    return [kind.name, { wall: of("wall"), cpu: of("cpu") }] as const;
  });
  return { bench, parameters, times: new Map(times) };
}

/** Peers that do not compute the same are no peers. */
function sameLosses(running: readonly Peer[]): void {
  const [first, ...others] = running;
  for (const other of others)
    other.steps.forEach(({ loss }, i) => {
      const expected = first!.steps[i]?.loss ?? loss;
      if (Math.abs(loss - expected) > 1e-4 * expected)
        throw new Error(
          `step ${i + 1}: the loss of ${other.kind.name} is ${loss}, that of ${first!.kind.name} is ${expected}`,
        );
    });
}

if (flags.peers.includes("torch") && !existsSync(python))
  process.stdout.write(
    `no ${python}: PyTorch is left out (python3 -m venv .venv, pip install torch)\n`,
  );
const chosen = cases.filter(
  ({ name, time }) =>
    (flags.only === undefined || flags.only.split(",").includes(name)) &&
    (!flags.quick || time === 256),
);
const rows: Row[] = [];
for (const bench of chosen) {
  const row = await measure(bench, Number(flags.rounds ?? (flags.quick ? 5 : 9)));
  rows.push(row);
  process.stdout.write(
    `${bench.name}: ${row.parameters} parameters, ${bench.batch} × ${bench.time} tokens, ${flags.threads} threads\n`,
  );
  for (const [name, { wall, cpu }] of row.times) {
    const { what } = peers.find((peer) => peer.name === name)!;
    const tokens = (bench.batch * bench.time) / wall;
    process.stdout.write(
      `  ${what.padEnd(36)}${(wall * 1e3).toFixed(0).padStart(8)} ms wall${(cpu * 1e3).toFixed(0).padStart(8)} ms CPU${tokens.toFixed(0).padStart(8)} tokens/s\n`,
    );
  }
}

/** Processor time, and in brackets wall time, which a busy machine distorts. */
function ratio({ times }: Row, over: string, under: string): string {
  const [a, b] = [times.get(over), times.get(under)];
  return a && b ? `${(a.cpu / b.cpu).toFixed(2)}× (${(a.wall / b.wall).toFixed(2)}×)` : "–";
}

process.stdout.write(
  "\nprocessor time (wall time)\n\n" +
    "| model | tokens | plain tfjs / wasm | wasm / PyTorch | node-gpu / PyTorch |\n" +
    "| --- | --- | --- | --- | --- |\n",
);
for (const row of rows) {
  const cells = [
    row.bench.name,
    `${row.bench.batch} × ${row.bench.time}`,
    ratio(row, "tfjs", "wasm"),
    ratio(row, "wasm", "torch"),
    ratio(row, "node-gpu", "torch"),
  ];
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}
