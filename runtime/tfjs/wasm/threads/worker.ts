/**
 * What a worker thread runs: plain JavaScript as text, so that it needs no file beside a bundle. It never returns to
 * its event loop; Node ends it with the process.
 */

import { mostValues } from "./team.js";

/** Words of the control block. */
export const word = {
  /** The task's number above, chunks that nobody has taken in the low 8 bits. */
  ticket: 0,
  kernel: 1,
  /** Of the kernel's own numbers. */
  count: 2,
  units: 3,
  chunks: 4,
  /** Chunks done by workers. */
  done: 5,
  /** Workers that wait for the ticket to change. */
  sleepers: 6,
  failed: 7,
} as const;

export const argumentsAt = 64; // byte offset of the kernel's numbers, as doubles
export const controlBytes = argumentsAt + 8 * mostValues;

/** Looks at a word before going to sleep over it: some 50 µs, the time between two kernels of a step. */
export const spins = 4000;

export const workerProgram = `"use strict";
const { receiveMessageOnPort, workerData } = require("node:worker_threads");
const { memory, control, thread, port } = workerData;
const state = new Int32Array(control);
const values = new Float64Array(control, ${argumentsAt});
const kernels = [];
const imports = { env: { memory } };

function kernel(id) {
  while (kernels[id] === undefined) {
    const received = receiveMessageOnPort(port);
    if (received === undefined) continue;
    const { id: known, module, name } = received.message;
    kernels[known] = new WebAssembly.Instance(module, imports).exports[name];
  }
  return kernels[id];
}

let idle = 0;
for (;;) {
  const ticket = Atomics.load(state, ${word.ticket});
  const left = ticket & 255;
  if (left === 0) {
    if (++idle < ${spins}) continue;
    idle = 0;
    Atomics.add(state, ${word.sleepers}, 1);
    Atomics.wait(state, ${word.ticket}, ticket);
    Atomics.sub(state, ${word.sleepers}, 1);
    continue;
  }
  idle = 0;
  // Read before the chunk is taken: had the task changed meanwhile, taking it fails.
  const id = state[${word.kernel}];
  const given = Array.from(values.subarray(0, state[${word.count}]));
  const units = state[${word.units}];
  const chunks = state[${word.chunks}];
  if (Atomics.compareExchange(state, ${word.ticket}, ticket, ticket - 1) !== ticket) continue;
  try {
    const run = kernel(id);
    run(...given, Math.floor((units * (left - 1)) / chunks), Math.floor((units * left) / chunks), thread);
  } catch {
    Atomics.store(state, ${word.failed}, 1);
  }
  Atomics.add(state, ${word.done}, 1);
  Atomics.notify(state, ${word.done});
}
`;
