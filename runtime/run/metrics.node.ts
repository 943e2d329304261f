/**
 * Writing `metrics.jsonl`. A resumed run first drops what lies beyond its checkpoint, so the file reads as if the run
 * had never stopped.
 */

import { open, type FileHandle } from "node:fs/promises";
import { onFile, orIfMissing, readBytes, writeAtomically } from "./files.node.js";
import { formatMetrics, type MetricRecord, parseMetrics } from "./metrics.js";

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
    const kept =
      step === 0 ? [] : (await readMetrics(path)).filter((record) => record.step <= step);
    await writeAtomically(path, [formatMetrics(kept)]);
    return new MetricsLog(path, await onFile("open the file", path, () => open(path, "a")));
  }

  /** Writes one line. @throws RunError `disk-full`, `file-access` */
  append(record: MetricRecord): Promise<void> {
    return onFile("write the file", this.path, () => this.file.appendFile(formatMetrics([record])));
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** All whole lines of the file, in order; none when it is missing. */
export async function readMetrics(path: string): Promise<MetricRecord[]> {
  return parseMetrics(
    new TextDecoder().decode(await orIfMissing(readBytes(path), new Uint8Array(0))),
  );
}
