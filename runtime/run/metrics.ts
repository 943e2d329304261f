/** `metrics.jsonl`: one JSON object a line, one line a measured step. */

import type { Loads } from "./loads.js";

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
  /** Of the route that is least even: its busiest expert's load over the mean load, 1 where all are as busy. */
  readonly router_max_load?: number | null;
  /** Of the route that is least even: the entropy of its loads over that of even ones, 1 where all are as busy. */
  readonly router_entropy?: number | null;
  /** Now and then: the share of a step's picks that went to each expert, by route. */
  readonly loads?: Loads;
  readonly [name: string]: number | string | null | undefined | Loads;
}

/** The records as lines. */
export function formatMetrics(records: readonly MetricRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

/** The records of all whole lines; a line cut short by a crash is left out. */
export function parseMetrics(text: string): MetricRecord[] {
  return text.split("\n").flatMap((line) => {
    try {
      const record = JSON.parse(line) as MetricRecord | null;
      return Number.isSafeInteger(record?.step) ? [record!] : [];
    } catch {
      return [];
    }
  });
}
