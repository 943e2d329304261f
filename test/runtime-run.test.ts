import { EventEmitter } from "node:events";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RunError } from "../runtime/run/errors.js";
import { orIfMissing, readBytes, writeAtomically } from "../runtime/run/files.node.js";
import { openRunFolder, runFiles, runFolderOf } from "../runtime/run/folder.node.js";
import { MetricsLog, readMetrics } from "../runtime/run/metrics.node.js";
import { Pace } from "../runtime/run/pace.js";
import { duration, Progress, type ProgressState } from "../runtime/run/progress.js";
import { listenForStop, type StopSignal } from "../runtime/run/stop.node.js";

let base: string;
beforeEach(async () => void (base = await mkdtemp(join(tmpdir(), "lsm-run-"))));
afterEach(() => rm(base, { recursive: true }));

describe("the run's folder", () => {
  const open = (options: object = {}) =>
    openRunFolder({ name: "moby", parent: join(base, "runs"), ...options });
  const at = (name: string) => join(base, "runs", name);

  test("a new run never goes where one has been, and says so", async () => {
    expect(await open()).toEqual({ path: at("moby"), resumed: false, note: null });
    expect(await open()).toEqual({
      path: at("moby-2"),
      resumed: false,
      note: `${at("moby")} exists already, so this run goes to ${at("moby-2")}`,
    });
    await mkdir(at("moby-9"));
    await mkdir(at("moby-x"));
    expect((await open()).path).toBe(at("moby-10"));
  });

  test("runs that start at once get folders of their own", async () => {
    const folders = await Promise.all(Array.from({ length: 8 }, () => open()));
    expect(new Set(folders.map(({ path }) => path)).size).toBe(8);
  });

  test("resuming takes the newest, or starts where there is none", async () => {
    expect(await open({ resume: true })).toEqual({ path: at("moby"), resumed: false, note: null });
    expect(await open({ resume: true })).toEqual({ path: at("moby"), resumed: true, note: null });
    await open();
    const { path, note } = await open({ resume: true });
    expect(path).toBe(at("moby-2"));
    expect(note).toContain("resuming");
  });

  test("--out takes an empty or new folder, and a full one only to resume", async () => {
    const out = join(base, "a", "b");
    expect(await open({ out })).toEqual({ path: out, resumed: false, note: null });
    expect((await open({ out })).resumed).toBe(false);
    await writeFile(join(out, "x"), "");
    const error = (await open({ out }).catch((e: unknown) => e)) as RunError;
    expect(error.code).toBe("run-folder-not-empty");
    expect((await open({ out, resume: true })).resumed).toBe(true);
    await expect(open({ out: join(out, "x") })).rejects.toThrow(RunError);
  });

  test("a file in the way is a RunError", async () => {
    await writeFile(join(base, "runs"), "");
    await expect(open()).rejects.toThrow(/a folder of this path is a file|cannot make the folder/);
    expect(runFolderOf(join(runFiles("runs/a").checkpoints, "x.safetensors"))).toBe("runs/a");
  });
});

test("an atomic write replaces a file or leaves it, and no scraps", async () => {
  const path = join(base, "f.txt");
  await writeAtomically(path, ["a", Uint8Array.of(98)]);
  await writeAtomically(path, ["c"]);
  expect(await readFile(path, "utf8")).toBe("c");
  await expect(writeAtomically(join(base, "none", "f"), ["x"])).rejects.toThrow(
    /no such file or folder/,
  );
  await expect(writeAtomically(base, ["x"])).rejects.toThrow(RunError);
  expect(await readdir(base)).toEqual(["f.txt"]);
  expect(await orIfMissing(readBytes(join(base, "none")), null)).toBeNull();
  await expect(orIfMissing(readBytes(base), null)).rejects.toThrow(/folder/);
});

describe("metrics.jsonl", () => {
  test("of a resumed run equals that of an uninterrupted one", async () => {
    const write = async (path: string, from: number, to: number) => {
      const log = await MetricsLog.open(path, from);
      for (let step = from + 1; step <= to; step++)
        await log.append({ step, loss: 1 / step, lr: 0.1, grad_norm: step });
      await log.close();
    };
    const whole = join(base, "whole.jsonl");
    const broken = join(base, "broken.jsonl");
    await write(whole, 0, 9);
    await write(broken, 0, 7);
    await appendFile(broken, '{"step":8,"lo'); // killed in the middle of a line, two steps behind its checkpoint
    await write(broken, 5, 9);
    await write(broken, 6, 9);
    expect(await readFile(broken, "utf8")).toBe(await readFile(whole, "utf8"));
    expect((await readFile(whole, "utf8")).split("\n")[0]).toBe(
      '{"step":1,"loss":1,"lr":0.1,"grad_norm":1}',
    );
  });

  test("is read as far as it can be", async () => {
    const path = join(base, "m.jsonl");
    await writeFile(
      path,
      '{"step":1,"loss":2}\nnull\n[]\n{"loss":1}\n\n{"step":2,"loss":null}\n{"st',
    );
    expect(await readMetrics(path)).toEqual([
      { step: 1, loss: 2 },
      { step: 2, loss: null },
    ]);
    expect(await readMetrics(join(base, "none"))).toEqual([]);
    await expect(readMetrics(base)).rejects.toThrow(RunError);
  });
});

describe("the progress line", () => {
  const state = (step: number): ProgressState => ({
    step,
    loss: 2.3456,
    lr: 1e-3,
    tokensPerSecond: 45210,
    secondsLeft: 83,
  });
  function progress(tty: { columns: number } | null, color = false) {
    const clock = { ms: 0 };
    const written: string[] = [];
    const out = { isTTY: tty !== null, ...tty, write: (text: string) => written.push(text) };
    return { clock, written, line: new Progress({ steps: 2000, out, now: () => clock.ms, color }) };
  }

  test("on a terminal is redrawn in place, ten times a second at most, and ends with a new line", () => {
    const { clock, written, line } = progress({ columns: 120 });
    for (let step = 1; step <= 100; step++) {
      line.update(state(step));
      clock.ms += 10;
    }
    expect(written).toHaveLength(10);
    expect(written[0]).toBe(
      "\rstep    1/2000  ────────────────────  loss 2.346  lr 1.00e-3  45.2k tokens/s  1:23 left\u001b[K",
    );
    line.note("saved");
    expect(written.slice(10).join("")).toMatch(/^\r\u001b\[Ksaved\n\rstep  100\/2000/);
    line.done();
    expect(written.at(-1)).toBe("\n");
    expect(written.join("").match(/\n/g)).toHaveLength(2);
  });

  test.each([200, 80, 60, 40, 24, 12, 3])("fits %i columns", (columns) => {
    const { written, line } = progress({ columns });
    line.update(state(1000));
    const text = written[0]!.slice(1, -3);
    expect(text.length).toBeLessThan(columns);
    expect(text.startsWith("step 1000/2000".slice(0, columns - 1))).toBe(true);
  });

  test("colours only when asked to, and the colours take no room", () => {
    const { written, line } = progress({ columns: 90 }, true);
    line.update(state(1000));
    expect(written[0]).toContain("\u001b[36m━━━━━━━━━━\u001b[39m\u001b[2m──────────\u001b[22m");
    expect(written[0]!.replace(/\u001b\[\d+m/g, "")).toMatch(/1:23 left\u001b\[K$/);
  });

  test("elsewhere is a plain line every few seconds and one at the end", () => {
    const { clock, written, line } = progress(null, true);
    for (let step = 1; step <= 12; step++) {
      line.update(state(step));
      clock.ms += 1000;
    }
    line.note("saved");
    line.done();
    expect(written.map((text) => text.slice(0, 14))).toEqual([
      "step    1/2000",
      "step    6/2000",
      "step   11/2000",
      "saved\n",
      "step   12/2000",
    ]);
    expect(written[0]).toBe("step    1/2000  loss 2.346  lr 1.00e-3  45.2k tokens/s  1:23 left\n");
  });

  test("says nothing when there was nothing, and durations read as clocks", () => {
    const { written, line } = progress({ columns: 80 });
    line.done();
    expect(written).toEqual([]);
    expect([0, 7.4, 750, 11100, NaN, Infinity].map(duration)).toEqual([
      "0:00",
      "0:07",
      "12:30",
      "3:05:00",
      "–:––",
      "–:––",
    ]);
  });
});

test("the pace is that of the last steps, without the pauses", () => {
  let ms = 0;
  const pace = new Pace(() => ms);
  expect(pace.tokensPerSecond).toBe(0);
  expect(pace.secondsFor(3)).toBeNaN();
  for (let i = 0; i < 60; i++) {
    ms += i < 10 ? 5000 : 500;
    pace.tick(100);
    ms += 10_000;
    pace.skip();
  }
  expect(pace.tokensPerSecond).toBeCloseTo(200);
  expect(pace.secondsFor(10)).toBeCloseTo(5);
});

test("the first signal asks to stop, the second ends the process", () => {
  const events = new EventEmitter();
  const said: string[] = [];
  const source = Object.assign(events, { exit: (code: number) => said.push(`exit ${code}`) });
  const stop = listenForStop((signal: StopSignal) => said.push(signal), source);
  expect([stop.signal, stop.exitCode]).toEqual([null, 0]);
  events.emit("SIGINT");
  expect([stop.signal, stop.exitCode]).toEqual(["SIGINT", 130]);
  events.emit("SIGTERM");
  expect(said).toEqual(["SIGINT", "exit 143"]);
  stop.dispose();
  expect(events.listenerCount("SIGINT") + events.listenerCount("SIGTERM")).toBe(0);
});
