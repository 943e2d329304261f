/** How the text of a flag becomes a number, with a reason when it does not. */

import { InvalidArgumentError, Option } from "commander";

export function positiveInteger(text: string): number {
  return integerFrom(1, text);
}

export function naturalNumber(text: string): number {
  return integerFrom(0, text);
}

export function port(text: string): number {
  const value = naturalNumber(text);
  if (value <= 65535) return value;
  throw new InvalidArgumentError("Expected a port, 0 to 65535.");
}

function integerFrom(least: number, text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new InvalidArgumentError(`Expected a whole number, ${least} or more.`);
}

export function nonNegative(text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError("Expected a number, 0 or more.");
}

export const targets = ["tfjs", "torch"] as const;
export type Target = (typeof targets)[number];

export const backends = ["cpu", "wasm", "webgpu", "node", "node-gpu"] as const;
export type Backend = (typeof backends)[number];

export function targetOption(): Option {
  return new Option("--target <target>", "what to compile to").choices([...targets]);
}

export function backendOption(): Option {
  return new Option(
    "--backend <backend>",
    "what tfjs runs on (default: the best there is)",
  ).choices([...backends]);
}
