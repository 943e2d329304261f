/** What runs on the thread of the training page's server. */

import { parentPort, workerData } from "node:worker_threads";
import { RunError } from "../run/errors.js";
import type { LiveAnswer, LiveJob } from "./beside.node.js";
import { pageFiles } from "./page-files.node.js";
import { serveLive } from "./server.node.js";

async function serve({ roots, port, page }: LiveJob): Promise<LiveAnswer> {
  try {
    const { url } = await serveLive({ roots, port, files: await pageFiles(page) });
    return { url };
  } catch (error) {
    if (!(error instanceof RunError)) return { error: String(error) };
    const { code, what, where, help } = error;
    return { error: { code, what, where, help } };
  }
}

parentPort?.postMessage(await serve(workerData as LiveJob));
