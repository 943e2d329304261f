/** One run as the page knows it: its records so far, and the curves in them. */

import type { MetricRecord } from "../../run/metrics.js";
import { type Point, seriesOf, smooth, thin } from "../../run/series.js";
import type { LoadRecord } from "./heat-map.js";
import type { MetricsPart, RunListing, Sample } from "../runs.node.js";

/** Points of one curve: more cannot be told apart on a screen. */
const drawnPoints = 1500;

export class RunData {
  listing: RunListing;
  samples: readonly Sample[] = [];
  private readonly records: MetricRecord[] = [];
  private next = 0;

  constructor(
    listing: RunListing,
    readonly colour: string,
  ) {
    this.listing = listing;
  }

  /** Reads on where it stopped; true when there was anything new. */
  async update(): Promise<boolean> {
    const name = encodeURIComponent(this.listing.name);
    let fresh = false;
    for (;;) {
      const part = await get<MetricsPart>(`/metrics?run=${name}&from=${this.next}`);
      if (part.restarted) this.records.length = 0;
      for (const record of part.records) this.records.push(record);
      this.next = part.next;
      if (part.records.length === 0) break;
      fresh = true;
    }
    if (fresh) this.samples = await get<readonly Sample[]>(`/samples?run=${name}`);
    return fresh;
  }

  get step(): number {
    return this.records.at(-1)?.step ?? 0;
  }

  curve(name: string, smoothed: boolean): Point[] {
    const points = seriesOf(this.records, name);
    return thin(smoothed ? smooth(points, points.length / 40) : points, drawnPoints);
  }

  /** The records that have the loads of all routes. */
  get loads(): readonly LoadRecord[] {
    return this.records.flatMap(({ step, loads }) => (loads ? [{ step, loads }] : []));
  }

  /** The newest value of that name. */
  last(name: string): number | null {
    const value = this.records.findLast((record) => typeof record[name] === "number")?.[name];
    return typeof value === "number" ? value : null;
  }
}

/** @throws Error when the server does not answer as it should */
export async function get<T>(path: string): Promise<T> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as T;
}
