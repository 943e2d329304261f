/** Runs one train block of a program, or all of them. */

import { basename, dirname, join } from "node:path";
import { openRun } from "../../../runtime/tfjs/train/open-run.node.js";
import { optimizerRows, row } from "../../../runtime/tfjs/train/report.js";
import { type RunResult, runTraining } from "../../../runtime/tfjs/train/run.node.js";
import type { Training } from "../../1-check/blocks/training.js";
import type { Checked } from "../../1-check/check.js";
import { compileTraining } from "../../compile.js";
import type { TrainOptions } from "../commands/train.js";
import { Exit, type ExitCode } from "../exit.js";
import { formsOf } from "../forms.js";
import { resolvedSource } from "../resolved-source.js";
import { sizesOf } from "../sizes.js";
import { say, type Session } from "../session.js";
import { version } from "../version.js";
import { type Run, comparison } from "./comparison.js";
import { emittedTrainable } from "./emitted.js";
import { prepare } from "./prepare.js";
import { overridesOf, settingsOf } from "./settings.js";
import { writeSample } from "./sample.js";
import { both, recordSample } from "./samples.js";

export async function trainOne(
  checked: Checked,
  training: Training,
  options: TrainOptions,
  session: Session,
): Promise<RunResult> {
  const { path } = checked;
  const stem = basename(path, ".lsm");
  const name = checked.trainings.size === 1 ? stem : `${stem}-${training.name}`;
  const run = await openRun({ name, out: options.out ?? null, resume: options.resume ?? null });
  const overrides = overridesOf(options, run.saved);
  const settings = settingsOf(training, overrides);
  const model = checked.models.get(training.model)!;
  const stages = compileTraining(model, sizesOf(training), formsOf(options));
  const about = prepare(model, stages);
  const trainable = await emittedTrainable(checked, training, overrides, stages, run.folder);
  about.push(...optimizerRows(trainable.parameters, settings.optimizer));
  if (training.precision !== "fp32")
    about.push(row("precision", `fp32: tfjs has no ${training.precision}`));
  const named = checked.trainings.size === 1 ? "" : ` --train ${training.name}`;
  const out = options.out === undefined ? "" : ` --out ${options.out}`;
  return runTraining(trainable, settings, {
    source: resolvedSource(checked),
    base: dirname(path),
    run,
    ...(options.backend && { backend: options.backend }),
    compiler: version,
    notes: { overrides: { ...overrides } },
    about,
    commands: {
      resume: `lsm train ${path}${named}${out} --resume`,
      generate: `lsm generate ${run.folder} ${model.window ? "--csv FILE" : `--prompt "${training.sample?.prompt ?? "The "}"`}`,
    },
    say: (line) => say(session.out, line),
    progress: session.err,
    colour: session.err.colour,
    ...(options.ui !== undefined && {
      onMeasured: (step, backend, weights, data) =>
        recordSample(run.folder, step, (out) =>
          writeSample({ model, training, seed: settings.seed, backend, weights, data }, out),
        ),
    }),
    write: (backend, weights, data) =>
      recordSample(run.folder, settings.steps, (out) =>
        writeSample(
          { model, training, seed: settings.seed, backend, weights, data },
          both(session.out, out),
        ),
      ),
  });
}

/** One after the other; at the end a table of what each came to. A stopped run ends it all. */
export async function trainAll(
  checked: Checked,
  options: TrainOptions,
  session: Session,
): Promise<ExitCode> {
  const rows: Run[] = [];
  for (const training of checked.trainings.values()) {
    const out = options.out === undefined ? {} : { out: join(options.out, training.name) };
    const result = await trainOne(checked, training, { ...options, ...out }, session);
    if (result.exitCode !== 0) return result.exitCode as ExitCode;
    rows.push({ training, result });
    say(session.out);
  }
  session.out.write(comparison(checked, rows));
  return Exit.ok;
}
