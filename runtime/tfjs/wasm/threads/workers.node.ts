/**
 * A team of Node's worker threads over one shared memory.
 *
 * A task is published in a small control block: kernel, numbers, units, chunks; then one word, the ticket, which
 * holds the task's number and how many chunks nobody has taken. Whoever lowers it by one has a chunk. So threads that
 * the machine gives no time to take nothing, and this one never waits for them, only for chunks that were taken. A
 * thread that finds no work looks again for a while, then sleeps until the next task.
 */

import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { KernelFunction } from "../heap.js";
import type { SplitKernel, Team } from "./team.js";
import { argumentsAt, controlBytes, spins, word, workerProgram } from "./worker.js";

/** What a worker is told of a kernel. */
interface Enlisted {
  readonly id: number;
  readonly module: WebAssembly.Module;
  readonly name: string;
}

const ticketBits = 8; // chunks not taken
const taskNumbers = 2 ** 23;

const workWorthAChunk = 20_000; // nanoseconds: waking a thread takes some microseconds

export function startTeam(
  memory: WebAssembly.Memory,
  size: number,
  chunkWork = workWorthAChunk,
): Team {
  const control = new SharedArrayBuffer(controlBytes);
  const state = new Int32Array(control);
  const values = new Float64Array(control, argumentsAt);
  const enlisted: Enlisted[] = [];
  let ports: readonly MessagePort[] | null = null; // no thread is started before there is work to share
  const start = (): void => {
    ports = Array.from({ length: size - 1 }, (_, i) => startWorker(memory, control, i + 1));
    for (const port of ports) for (const kernel of enlisted) port.postMessage(kernel);
  };
  let task = 0;

  const chunkRange = (
    kernel: SplitKernel,
    given: readonly number[],
    units: number,
    chunks: number,
    chunk: number,
  ) =>
    kernel.run(
      ...given,
      Math.floor((units * chunk) / chunks),
      Math.floor((units * (chunk + 1)) / chunks),
      0,
    );

  const wait = (taken: number): void => {
    for (let i = 0; i < spins; i++) if (Atomics.load(state, word.done) === taken) return;
    for (;;) {
      const done = Atomics.load(state, word.done);
      if (done === taken) return;
      Atomics.wait(state, word.done, done);
    }
  };

  return {
    size,
    chunkWork,
    enlist(module: WebAssembly.Module, name: string, run: KernelFunction): SplitKernel {
      const kernel: Enlisted = { id: enlisted.length, module, name };
      enlisted.push(kernel);
      for (const port of ports ?? []) port.postMessage(kernel);
      return { id: kernel.id, run };
    },
    run(kernel, given, units, chunks) {
      if (chunks <= 1) return kernel.run(...given, 0, units, 0);
      if (ports === null) start();
      task = (task + 1) % taskNumbers;
      state[word.kernel] = kernel.id;
      state[word.count] = given.length;
      state[word.units] = units;
      state[word.chunks] = chunks;
      state[word.done] = 0;
      for (let i = 0; i < given.length; i++) values[i] = given[i]!;
      const full = (task << ticketBits) | chunks;
      Atomics.store(state, word.ticket, full);
      if (Atomics.load(state, word.sleepers) > 0) Atomics.notify(state, word.ticket);
      let own = 0;
      for (;;) {
        const ticket = Atomics.load(state, word.ticket);
        const left = ticket & (2 ** ticketBits - 1);
        if (left === 0) break;
        if (Atomics.compareExchange(state, word.ticket, ticket, ticket - 1) !== ticket) continue;
        chunkRange(kernel, given, units, chunks, left - 1);
        own++;
      }
      wait(chunks - own);
      if (state[word.failed] !== 0)
        throw new Error(
          "a thread of the WebAssembly kernels failed; LSM_THREADS=1 does without them",
        );
    },
  };
}

/** The port through which the worker learns of kernels; it takes them when it meets one that it lacks. */
function startWorker(
  memory: WebAssembly.Memory,
  control: SharedArrayBuffer,
  thread: number,
): MessagePort {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(workerProgram, {
    eval: true,
    name: `lsm kernels ${thread}`,
    execArgv: [],
    workerData: { memory, control, thread, port: port2 },
    transferList: [port2],
  });
  worker.unref();
  port1.unref();
  // it ends with the process; before that it only can by a mistake, which `failed` then tells
  worker.on("error", () => undefined);
  return port1;
}
