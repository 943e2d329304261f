/** `lsm train --target torch`: builds the PyTorch project into the run's folder, and runs it there with Python. */

import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { openRunFolder } from "../../../runtime/run/folder.node.js";
import { RunError } from "../../../runtime/run/errors.js";
import type { Training } from "../../1-check/blocks/training.js";
import type { Checked } from "../../1-check/check.js";
import { packageRoot } from "../build/package-root.js";
import { writeTorchProject } from "../build/torch.js";
import type { TrainOptions } from "../commands/train.js";
import { Exit, type ExitCode } from "../exit.js";
import { say, type Session } from "../session.js";
import { type Run, comparison } from "./comparison.js";
import { outcomeOf } from "./outcome.js";

export async function trainOnTorch(
  checked: Checked,
  training: Training,
  options: TrainOptions,
  session: Session,
): Promise<{ readonly status: ExitCode; readonly folder: string }> {
  const python = findPython();
  const stem = basename(checked.path, ".lsm");
  const name = checked.trainings.size === 1 ? stem : `${stem}-${training.name}`;
  const resume = options.resume !== undefined;
  const { path, note } = await openRunFolder({ name, out: options.out ?? null, resume });
  if (note !== null) say(session.out, note);
  writeTorchProject(checked, training, join(path, "torch"), session, () => {
    // the run's folder is said below
  });
  const flags = [
    ...(options.steps === undefined ? [] : ["--steps", String(options.steps)]),
    ...(options.seed === undefined ? [] : ["--seed", String(options.seed)]),
    ...(options.resume === undefined ? [] : ["--resume", options.resume]),
    ...(options.ui === undefined ? [] : ["--samples"]),
  ];
  const program = join(path, "torch", "train.py");
  say(session.out, `${python} ${program} --out ${path}`);
  const status = await run(python, [program, "--out", path, ...flags]);
  return { status: status as ExitCode, folder: path };
}

/** One after the other, until one ends otherwise than well; then a table of what each came to. */
export async function trainAllOnTorch(
  checked: Checked,
  options: TrainOptions,
  session: Session,
): Promise<ExitCode> {
  const rows: Run[] = [];
  for (const training of checked.trainings.values()) {
    const out = options.out === undefined ? {} : { out: join(options.out, training.name) };
    const ran = await trainOnTorch(checked, training, { ...options, ...out }, session);
    if (ran.status !== 0) return ran.status;
    rows.push({ training, result: await outcomeOf(ran.folder) });
    say(session.out);
  }
  session.out.write(comparison(checked, rows));
  return Exit.ok;
}

/** Signals go to the child by themselves: it saves, and says how it ended. */
function run(python: string, args: readonly string[]): Promise<number> {
  return new Promise((done, fail) => {
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
    const child = spawn(python, args, { stdio: "inherit", env });
    const forward = (signal: NodeJS.Signals): void => {
      child.kill(signal);
    };
    process.on("SIGTERM", forward);
    process.on("SIGINT", forward);
    child.on("error", fail);
    child.on("exit", (code) => {
      process.off("SIGTERM", forward);
      process.off("SIGINT", forward);
      done(code ?? 1);
    });
  });
}

/** The nearest .venv's Python, else python3; it must have torch and numpy. */
export function findPython(): string {
  const places = [process.cwd(), packageRoot()].map((at) => resolve(at, ".venv/bin/python"));
  const python = places.find((place) => existsSync(place)) ?? "python3";
  const { status, error } = spawnSync(python, ["-c", "import torch, numpy"], { stdio: "ignore" });
  if (status === 0) return python;
  throw new RunError({
    code: "torch-missing",
    what: error ? "there is no Python here" : "Python has no torch, or no numpy",
    where: python,
    help: "run `python3 -m venv .venv && .venv/bin/pip install torch numpy`, or train with --target tfjs",
  });
}
