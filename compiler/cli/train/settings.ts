/** What a run does, from the `train` block, the flags, and the run it goes on with. */

import type { OpenedRun } from "../../../runtime/tfjs/train/open-run.node.js";
import type { OptimizerSettings, TrainSettings } from "../../../runtime/tfjs/train/settings.js";
import type { Optimizer, Training } from "../../1-check/blocks/training.js";
import { UsageError } from "../exit.js";

/** Flags that take the place of settings; a resumed run keeps those it was started with. */
export interface Overrides {
  readonly steps: number | null;
  readonly seed: number | null;
}

interface Flags {
  readonly steps?: number;
  readonly seed?: number;
}

export function overridesOf(
  flags: Flags,
  saved: OpenedRun["saved"],
): { [K in keyof Overrides]: Overrides[K] } {
  const before = saved ? storedOverrides(saved.checkpoint.notes) : { steps: null, seed: null };
  const seed = saved?.checkpoint.data?.seed;
  if (flags.seed !== undefined && seed !== undefined && seed !== flags.seed)
    throw new UsageError(
      `the run was started with seed ${seed}, and cannot go on with ${flags.seed}`,
      "leave out --seed, or start a new run without --resume",
    );
  return { steps: flags.steps ?? before.steps, seed: flags.seed ?? before.seed };
}

function storedOverrides(notes: unknown): Overrides {
  const { steps = null, seed = null } =
    (notes as { readonly overrides?: Partial<Overrides> } | null)?.overrides ?? {};
  return { steps, seed };
}

export function settingsOf(training: Training, { steps, seed }: Overrides): TrainSettings {
  const { name, data, optimizer, schedule, accumulate, clip, checkpointEvery, evaluateEvery } =
    training;
  return {
    name,
    data,
    optimizer: optimizerSettings(optimizer),
    schedule,
    accumulate,
    steps: steps ?? training.steps,
    clip,
    checkpointEvery,
    evaluateEvery,
    seed: seed ?? training.seed,
  };
}

export function optimizerSettings(optimizer: Optimizer): OptimizerSettings {
  const { lr, betas, epsilon, decay } = optimizer;
  const adamw = { lr, betas, epsilon, decay };
  if (optimizer.kind === "adamw") return adamw;
  const { momentum, iterations } = optimizer;
  return { ...adamw, muon: { momentum, iterations } };
}
