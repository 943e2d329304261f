/** How the step of a model ends, for who looks at it: as its first training says. */

import type { Checked } from "../1-check/check.js";
import type { Model } from "../1-check/model.js";
import { type OptimizerOptions, adamwDefaults } from "../5-schedule/optimizer.js";
import { optimizerSettings } from "./train/settings.js";

export function optimizerFor({ trainings }: Checked, model: Model): OptimizerOptions {
  const training = [...trainings.values()].find((each) => each.model === model.name);
  if (!training) return adamwDefaults;
  const { betas, epsilon, decay, muon = null } = optimizerSettings(training.optimizer);
  const [beta1, beta2] = betas;
  return { clip: training.clip, beta1, beta2, epsilon, decay, muon };
}
