/**
 * The kernels on WebGPU, for test/runtime-tfjs/webgpu.test.ts, in a process of its own: `navigator.gpu` must be
 * there before tfjs is, and Dawn's threads keep a process alive. Prints one line a kernel, and leaves by force.
 */

import { chooseBackend } from "../../../runtime/tfjs/backend.js";
import { largeCases } from "./cases-large.js";
import { checkRecorded } from "./check-recorded.js";
import { scalarFaults } from "./check-scalars.js";
import { checkKernel, kernelCases } from "./check.js";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const runs = Number(process.argv[2]);

async function attempt(name: string, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    say(`ok ${name}`);
    return true;
  } catch (fault) {
    say(
      `failed ${name}: ${fault instanceof Error ? `${fault.message}\n${String(fault.cause)}` : String(fault)}`,
    );
    return false;
  }
}

const backend = await chooseBackend("webgpu");
const { tf, kernels, why } = backend;
say(why);
let good = true;
for (const one of kernelCases.filter(({ name }) => name === (process.argv[3] ?? name)))
  good = (await attempt(one.name, () => checkKernel(tf, kernels, one, runs))) && good;
for (const one of process.argv[3] ? [] : largeCases)
  good = (await attempt(one.name, () => checkKernel(tf, kernels, one, 1))) && good;
const recorded = await attempt("a recorded step", () => checkRecorded(backend));
const scalars = await attempt("scalar functions", async () => {
  const faults = await scalarFaults(tf, kernels, 1e-5);
  if (faults.length > 0) throw new Error(faults.join("\n"));
});
process.exit(good && recorded && scalars ? 0 : 1);
