/** The runs under some folders, as the training page asks for them: read from disk each time, and never written. */

import { open, readdir, readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { runFiles } from "../run/folder.node.js";
import { type MetricRecord, parseMetrics } from "../run/metrics.js";

/** A run in the page's list. */
export interface RunListing {
  /** Its folder as it is shown, and what it is asked for by. */
  readonly name: string;
  readonly model: string;
  /** Steps that it is to make; 0 when that is not known. */
  readonly steps: number;
  /** When it last wrote something, in milliseconds since 1970. */
  readonly changed: number;
}

export interface Sample {
  readonly step: number;
  readonly text: string;
}

/** The records behind a place in `metrics.jsonl`. */
export interface MetricsPart {
  readonly records: readonly MetricRecord[];
  /** Where to go on reading. */
  readonly next: number;
  /** True when the file is not what it was: what is known of it is to be forgotten. */
  readonly restarted: boolean;
}

/** Of one answer: a page that opens a long run asks several times. */
const mostBytes = 4 * 1024 * 1024;

const mostSamples = 50;

export class Runs {
  private readonly folders = new Map<string, string>(); // by name

  /** @param roots folders of runs, or runs themselves */
  constructor(private readonly roots: readonly string[]) {}

  /** All runs, the last changed first. */
  async list(): Promise<RunListing[]> {
    const found: RunListing[] = [];
    for (const root of this.roots) {
      const inside = await readdir(root, { withFileTypes: true }).catch(() => []);
      const below = inside
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => join(root, name));
      for (const folder of [root, ...below]) {
        const listing = await this.look(folder, folder === root ? basename(resolve(root)) : folder);
        if (listing) found.push(listing);
      }
    }
    return found.sort((a, b) => b.changed - a.changed);
  }

  /** Null for a name that `list` has not given. */
  async metrics(name: string, from: number): Promise<MetricsPart | null> {
    const folder = await this.folderOf(name);
    if (folder === null) return null;
    const file = await open(runFiles(folder).metrics).catch(() => null);
    if (file === null) return { records: [], next: 0, restarted: false };
    try {
      const { size } = await file.stat();
      const restarted = from > size;
      const start = restarted ? 0 : from;
      const bytes = Buffer.alloc(Math.min(size - start, mostBytes));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
      const whole = bytes.subarray(0, bytes.subarray(0, bytesRead).lastIndexOf(10) + 1);
      return { records: parseMetrics(whole.toString()), next: start + whole.length, restarted };
    } finally {
      await file.close();
    }
  }

  /** What the model wrote while it learned, the newest last. */
  async samples(name: string): Promise<readonly Sample[] | null> {
    const folder = await this.folderOf(name);
    if (folder === null) return null;
    const text = await readFile(runFiles(folder).samples, "utf8").catch(() => "");
    return parseSamples(text).slice(-mostSamples);
  }

  private async folderOf(name: string): Promise<string | null> {
    if (!this.folders.has(name)) await this.list();
    return this.folders.get(name) ?? null;
  }

  private async look(folder: string, name: string): Promise<RunListing | null> {
    const { metrics, config } = runFiles(folder);
    const written = await stat(metrics).catch(() => null);
    if (!written?.isFile()) return null;
    this.folders.set(name, folder);
    const { model, steps } = configOf(await readFile(config, "utf8").catch(() => ""));
    return { name, model, steps, changed: written.mtimeMs };
  }
}

/** All whole samples of a file; a line that is none is left out. */
export function parseSamples(text: string): Sample[] {
  return text.split("\n").flatMap((line) => {
    try {
      const { step, text: said } = JSON.parse(line) as Partial<Sample>;
      return Number.isSafeInteger(step) && typeof said === "string"
        ? [{ step: step!, text: said }]
        : [];
    } catch {
      return [];
    }
  });
}

function configOf(text: string): { readonly model: string; readonly steps: number } {
  try {
    const { model, train } = JSON.parse(text) as { model?: unknown; train?: { steps?: unknown } };
    const steps = Number(train?.steps ?? 0);
    return {
      model: typeof model === "string" ? model : "",
      steps: Number.isFinite(steps) ? steps : 0,
    };
  } catch {
    return { model: "", steps: 0 };
  }
}
