/**
 * `metrics.jsonl`: one JSON object a line, one line a measured step. A resumed run first drops what lies beyond its
 * checkpoint, so the file reads as if the run had never stopped.
 */

import { open, type FileHandle } from "node:fs/promises";
import { onFile, orIfMissing, readBytes, writeAtomically } from "./files.node.js";

/** What was measured after `step` updates; names as torchtitan's where there is one. Numbers that are not finite become null. */
export interface MetricRecord {
  readonly step: number;
  /** Nats a token. */
  readonly loss?: number | null;
  /** Nats a token on held-out data. */
  readonly eval_loss?: number | null;
  readonly lr?: number | null;
  readonly grad_norm?: number | null;
  readonly tokens_per_second?: number | null;
  readonly [name: string]: number | string | null | undefined;
}

export class MetricsLog {
  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
  ) {}

  /**
   * Opens the file to write behind its end.
   *
   * @param step the checkpoint's step: lines of later steps are dropped; 0 starts an empty file
   * @throws RunError `file-access`, `disk-full`
   */
  static async open(path: string, step: number): Promise<MetricsLog> {
    const kept = step === 0 ? [] : (await readMetrics(path)).filter((record) => record.step <= step);
    await writeAtomically(path, [kept.map(line).join("")]);
    return new MetricsLog(path, await onFile("open the file", path, () => open(path, "a")));
  }

  /** Writes one line. @throws RunError `disk-full`, `file-access` */
  append(record: MetricRecord): Promise<void> {
    return onFile("write the file", this.path, () => this.file.appendFile(line(record)));
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** All whole lines of the file, in order; none when it is missing. A line cut short by a crash is left out. */
export async function readMetrics(path: string): Promise<MetricRecord[]> {
  const bytes = await orIfMissing(readBytes(path), new Uint8Array(0));
  return new TextDecoder().decode(bytes).split("\n").flatMap(parseLine);
}

function parseLine(text: string): MetricRecord[] {
  try {
    const record = JSON.parse(text) as MetricRecord | null;
    return Number.isSafeInteger(record?.step) ? [record!] : [];
  } catch {
    return [];
  }
}

function line(record: MetricRecord): string {
  return `${JSON.stringify(record)}\n`;
}
