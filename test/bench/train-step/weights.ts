/**
 * What all peers of a case start from: one folder with `case.json`, the initial weights as raw float32
 * (`weights.bin`, and where each lies in `weights.json`), and the batch's ids (`ids.bin`: tokens, then targets).
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { initialValues } from "../../../runtime/tfjs/train/initialise.js";
import { RandomStream } from "../../../runtime/random/stream.js";
import { modelOf, parametersOf } from "../../support/models/instance.js";
import { type BenchCase, clip, optimizer, sourceOf, vocabulary } from "./cases.js";

export interface Stored {
  readonly offset: number; // in floats
  readonly shape: readonly number[];
}

/** Returns the number of parameters. */
export function writeCase(folder: string, bench: BenchCase): number {
  mkdirSync(folder, { recursive: true });
  const index: Record<string, Stored> = {};
  const values: Float32Array[] = [];
  let offset = 0;
  for (const { path, type, initializer } of parametersOf(modelOf(sourceOf(bench)))) {
    const data = initialValues({ path, axes: type.axes, initializer }, 1);
    index[path] = { offset, shape: type.axes.map(({ size }) => size) };
    values.push(data);
    offset += data.length;
  }
  const random = new RandomStream(1, "bench");
  const ids = Int32Array.from({ length: 2 * bench.batch * bench.time }, () =>
    random.integer(vocabulary),
  );
  writeFileSync(`${folder}/case.json`, JSON.stringify({ ...bench, vocabulary, optimizer, clip }));
  writeFileSync(`${folder}/weights.json`, JSON.stringify(index));
  writeFileSync(`${folder}/weights.bin`, Buffer.concat(values.map((v) => Buffer.from(v.buffer))));
  writeFileSync(`${folder}/ids.bin`, Buffer.from(ids.buffer));
  return offset;
}

export interface LoadedCase {
  readonly bench: BenchCase;
  readonly weights: ReadonlyMap<
    string,
    { readonly data: Float32Array; readonly shape: readonly number[] }
  >;
  readonly tokens: Int32Array;
  readonly targets: Int32Array;
}

export function readCase(folder: string): LoadedCase {
  const buffer = (name: string): ArrayBuffer =>
    Uint8Array.from(readFileSync(`${folder}/${name}`)).buffer;
  const json = (name: string): unknown => JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));
  const floats = new Float32Array(buffer("weights.bin"));
  const ids = new Int32Array(buffer("ids.bin"));
  const index = json("weights.json") as Record<string, Stored>;
  const weights = new Map(
    Object.entries(index).map(([path, { offset, shape }]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return [path, { data: floats.slice(offset, offset + size), shape }];
    }),
  );
  return {
    bench: json("case.json") as BenchCase,
    weights,
    tokens: ids.slice(0, ids.length / 2),
    targets: ids.slice(ids.length / 2),
  };
}
