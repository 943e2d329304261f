/** A peer's end of the bench: for every line that comes in, one step; the answer is its loss and its times. */

import { createInterface } from "node:readline";

export interface Measured {
  readonly loss: number;
  /** Seconds. */
  readonly wall: number;
  /** Seconds on the processor, of all threads. */
  readonly cpu: number;
}

export async function serve(step: () => Promise<number>): Promise<void> {
  process.stdout.write("ready\n");
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "end") break;
    const [wall, cpu] = [performance.now(), process.cpuUsage()];
    const loss = await step();
    const used = process.cpuUsage(cpu);
    const measured: Measured = {
      loss,
      wall: (performance.now() - wall) / 1e3,
      cpu: (used.user + used.system) / 1e6,
    };
    process.stdout.write(`${JSON.stringify(measured)}\n`);
  }
  process.exit(0);
}
