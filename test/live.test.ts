/** The training page: what its server gives and refuses, and that a browser draws it. */

import { execFile } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { request } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pageFiles } from "../runtime/live/page-files.node.js";
import { parseSamples } from "../runtime/live/runs.node.js";
import { type LiveServer, serveLive } from "../runtime/live/server.node.js";
import { hasChromium } from "./support/chromium.js";
import { required } from "./support/required.js";

const folder = mkdtempSync(join(tmpdir(), "lsm-live-"));
const line = (step: number): string => {
  const measured = { loss: 4 / step, lr: 0.01, grad_norm: 1, tokens_per_second: 5000 };
  const router = { router_max_load: 1.5, router_entropy: 0.9 };
  const loads = { "blocks.0.ffn.r": [0.5, 0.25, 0.25], "blocks.1.ffn.r": [0.25, 0.25, 0.5] };
  return `${JSON.stringify({ step, ...measured, ...router, loads })}\n`;
};
let server: LiveServer;

beforeAll(async () => {
  for (const name of ["a", "b"]) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "config.json"), '{ "model": "M", "train": { "steps": 40 } }');
    writeFileSync(join(folder, name, "metrics.jsonl"), line(1) + line(2));
  }
  writeFileSync(join(folder, "a", "samples.jsonl"), '{"step":2,"text":"Call me <b>"}\nnot json\n');
  mkdirSync(join(folder, "no-run"));
  const files = await pageFiles(join(import.meta.dirname, "../dist/live"));
  server = await serveLive({ roots: [folder], port: 0, files });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

async function ask(path: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(new URL(path, server.url));
  const text = await response.text();
  return { status: response.status, body: response.ok ? JSON.parse(text) : text };
}
const named = (name: string): string => encodeURIComponent(join(folder, name));

describe("the server", () => {
  test("lists runs and nothing else", async () => {
    const { body } = await ask("/runs");
    const names = (body as { name: string; model: string; steps: number }[]).map((run) => [
      run.name,
      run.model,
      run.steps,
    ]);
    expect(names.sort()).toEqual([
      [join(folder, "a"), "M", 40],
      [join(folder, "b"), "M", 40],
    ]);
  });

  test("gives the records behind a place, whole lines only", async () => {
    const first = (await ask(`/metrics?run=${named("b")}`)).body as { next: number };
    expect(first).toMatchObject({ records: [{ step: 1 }, { step: 2 }], restarted: false });
    appendFileSync(join(folder, "b", "metrics.jsonl"), line(3) + line(4).slice(0, 9));
    const second = (await ask(`/metrics?run=${named("b")}&from=${first.next}`)).body;
    expect(second).toMatchObject({ records: [{ step: 3 }] });
  });

  test("says when a run began anew", async () => {
    const { body } = await ask(`/metrics?run=${named("a")}&from=100000`);
    expect(body).toMatchObject({ restarted: true, records: [{ step: 1 }, { step: 2 }] });
  });

  test("gives samples, and leaves out what is none", async () => {
    expect((await ask(`/samples?run=${named("a")}`)).body).toEqual([
      { step: 2, text: "Call me <b>" },
    ]);
    expect(parseSamples('null\n{"step":1}\n[]\n{"step":"x","text":"y"}')).toEqual([]);
  });

  test.each(["/etc", "../..", "no-run", ""])("knows no run %j", async (name) => {
    expect((await ask(`/metrics?run=${named(name)}x`)).status).toBe(404);
    expect((await ask(`/samples?run=${encodeURIComponent(name)}`)).status).toBe(404);
  });

  test("answers only this machine, and only reads", async () => {
    const { port } = new URL(server.url);
    const status = (options: object): Promise<number> =>
      new Promise((done, fail) => {
        request({ host: "127.0.0.1", port, path: "/runs", ...options }, (response) => {
          response.resume();
          done(response.statusCode!);
        })
          .on("error", fail)
          .end();
      });
    expect(await status({ headers: { host: `localhost:${port}` } })).toBe(200);
    expect(await status({ headers: { host: "evil.example" } })).toBe(403);
    expect(await status({ method: "POST", headers: { host: `localhost:${port}` } })).toBe(403);
    expect((await ask("/../package.json")).status).toBe(404);
  });

  test("names a port that is taken", async () => {
    const port = Number(new URL(server.url).port);
    await expect(serveLive({ roots: [], port, files: new Map() })).rejects.toThrow("port-taken");
  });
});

describe.skipIf(!hasChromium && !required("chromium"))("in chromium", () => {
  test("the page draws the curves and shows samples as text", { timeout: 60_000 }, async () => {
    const profile = mkdtempSync(join(tmpdir(), "lsm-live-profile-"));
    const flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run".split(" ");
    const quiet = "--disable-background-networking --disable-component-update --disable-sync";
    const { stdout } = await promisify(execFile)("/usr/bin/chromium", [
      ...flags,
      ...quiet.split(" "),
      `--user-data-dir=${profile}`,
      "--virtual-time-budget=5000",
      "--dump-dom",
      server.url,
    ]);
    rmSync(profile, { recursive: true, force: true });
    expect(stdout).toContain("2 runs");
    expect(stdout.match(/<canvas/g)?.length).toBeGreaterThanOrEqual(4);
    expect(stdout).toContain("Call me &lt;b&gt;");
    expect(stdout).toContain("load of 3 experts: step 2: expert 0 busiest, 1.50 × even");
    expect(stdout).toMatch(/Loss: .*1\.3333/); // 4 / 3: the newest of both runs
  });
});
