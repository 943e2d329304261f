/** All elementwise kernels of a file, each once, with a name and the text of its definition. */

import type { MapKernel } from "../../../../runtime/tfjs/kernel-set.js";
import { showMap } from "../../../../runtime/tfjs/map-printer.js";
import type { LetteredMap } from "../kernel-call.js";
import type { Base } from "./bases.js";
import type { Names } from "./names.js";
import { literal } from "./text.js";

interface Entry {
  readonly map: LetteredMap;
  /** Of the inputs; null where uses call them differently. */
  readonly names: (string | null)[];
  /** What all uses call the result; null when they differ. */
  result: string | null;
}

export interface MapDefinition {
  readonly name: string;
  readonly text: string; // defineMap(…)
}

const words: Readonly<Record<string, string>> = {
  mul: "multiply",
  div: "divide",
  sub: "subtract",
  neg: "negate",
};

const known: Readonly<Record<string, string>> = {
  "mul add rsqrt": "inverseRoot",
  "add rsqrt": "inverseRoot",
  "sum square": "sumOfSquares",
  "sum mul": "sumOfProducts",
  stop: "copy",
  "sum stop": "sum",
  "max stop": "max",
};

const generic = ["x", "y", "z", "u", "v"];
const mostWords = 3;
const longestLine = 72;

export class MapTable {
  private readonly entries = new Map<string, Entry>();
  private readonly definitions = new Map<string, MapDefinition>();

  /** Notes a use: what its inputs are called, and its result. */
  add(map: LetteredMap, inputs: readonly Base[], result: Base): void {
    const id = keyOf(map);
    const entry = this.entries.get(id);
    if (!entry) {
      this.entries.set(id, { map, names: inputs.map(({ name }) => name), result: result.name });
      return;
    }
    inputs.forEach(({ name }, i) => {
      if (entry.names[i] !== name) entry.names[i] = null;
    });
    if (entry.result !== result.name) entry.result = null;
  }

  /** Names all kernels, once all uses are known. */
  define(names: Names): readonly MapDefinition[] {
    for (const [id, entry] of this.entries)
      this.definitions.set(id, {
        name: names.unique(nameOf(entry), entry.map.output),
        text: definition(entry),
      });
    return [...this.definitions.values()];
  }

  nameOf(map: LetteredMap): string {
    return this.definitions.get(keyOf(map))!.name;
  }
}

const keyOf = ({ inputs, output, reduce, code }: LetteredMap): string =>
  JSON.stringify([inputs, output, reduce, code]);

/** From what the code does when that is short, else from what it makes. */
function nameOf({ map: { code, reduce }, result }: Entry): string {
  const steps = code.map(({ fn }) => fn).filter((fn, i, all) => fn !== all[i - 1]);
  const all = reduce === null ? steps : [reduce, ...steps];
  const usual = known[all.join(" ")];
  if (usual !== undefined) return usual;
  if (steps.length <= mostWords)
    return camelCase(all.filter((fn) => fn !== "stop").map((fn) => words[fn] ?? fn));
  if (result === null) return "combine";
  const plain = camelCase(result.replace(/^d_/, "").split("_"));
  return `${plain}${result.startsWith("d_") ? "Gradient" : "Map"}`;
}

function camelCase(parts: readonly string[]): string {
  return parts
    .filter((part) => part !== "")
    .map((part, i) => (i === 0 ? part : part[0]!.toUpperCase() + part.slice(1)))
    .join("");
}

function definition({ map, names }: Entry): string {
  const copied = map.code.length === 1 && map.code[0]!.fn === "stop";
  const own = distinct(names.map((name, i) => name ?? generic[i] ?? `x${i}`));
  const { spec, formula, reduce } = showMap(map as MapKernel, own);
  const text = copied ? formula.replace(/^stop\((.*)\)$/, "$1") : formula;
  const args = [
    literal(spec),
    text.length > longestLine && text.includes("; ") ? lines(text) : literal(text),
  ];
  return `defineMap(${[...args, ...(reduce === null ? [] : [literal(reduce)])].join(", ")})`;
}

/** A long formula with a statement a line; formulas hold names, numbers and signs only. */
const lines = (formula: string): string => `\`\n  ${formula.replaceAll("; ", ";\n  ")}\n\``;

function distinct(names: readonly string[]): string[] {
  const made: string[] = [];
  for (const name of names) {
    let own = name;
    for (let count = 2; made.includes(own); count += 1) own = `${name}${count}`;
    made.push(own);
  }
  return made;
}
