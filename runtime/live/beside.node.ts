/** Starts the training page's server on a thread of its own: a training keeps the main one busy for whole steps. */

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { RunError, type RunErrorParts } from "../run/errors.js";
import type { LiveServer } from "./server.node.js";

/** What the thread is to serve. */
export interface LiveJob {
  readonly roots: readonly string[];
  readonly port: number;
  /** dist/live */
  readonly page: string;
}

export type LiveAnswer = { readonly url: string } | { readonly error: RunErrorParts | string };

/**
 * Starts the thread; it ends with the process.
 *
 * @param script `worker.node.ts`, bundled
 * @throws RunError `port-taken`
 */
export async function serveLiveBeside(script: string, job: LiveJob): Promise<LiveServer> {
  const worker = new Worker(script, { workerData: job });
  worker.unref();
  const [answer] = (await once(worker, "message")) as [LiveAnswer];
  if ("url" in answer)
    return { url: answer.url, close: async () => void (await worker.terminate()) };
  throw typeof answer.error === "string" ? new Error(answer.error) : new RunError(answer.error);
}
