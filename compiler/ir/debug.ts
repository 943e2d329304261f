/**
 * With LSM_DEBUG set, every pass is held to the rules of the IR, so that a fault shows where it is made
 * and not where it is met. Tests run so; users need not pay for it.
 */

import type { Module } from "./graph.js";
import type { Program } from "./program.js";
import { InternalFault } from "./types.js";
import { type Level, verify } from "./verify.js";
import { verifyProgram } from "./verify-program.js";

/** The compiler also runs where there is no process, as in a browser. */
const { process } = globalThis as { readonly process?: { readonly env: NodeJS.ProcessEnv } };
const debugging = process?.env["LSM_DEBUG"] !== undefined;

function demandNone(problems: readonly string[], stage: string): void {
  if (problems.length > 0) throw new InternalFault(`${stage}: ${problems.slice(0, 5).join("; ")}`);
}

/** The module, verified when debugging. */
export function sound(module: Module, level: Level): Module {
  if (debugging) demandNone(verify(module, level), `the ${level} graph`);
  return module;
}

/** The program, verified when debugging. */
export function soundProgram(program: Program): Program {
  if (debugging) demandNone(verifyProgram(program), "the program");
  return program;
}
