/** Which parameters Muon trains, in the trainings that ask for it. */

import { optimizerText } from "../../runtime/tfjs/train/report.js";
import type { Checked } from "../1-check/check.js";
import type { Model } from "../1-check/model.js";
import { parameterSpecs } from "./parameters.js";
import { optimizerSettings } from "./train/settings.js";

export function optimizerLines({ trainings }: Checked, model: Model): string[] {
  const own = [...trainings.values()].filter((training) => training.model === model.name);
  return own.flatMap(({ name, optimizer }) => {
    const text = optimizerText(parameterSpecs(model), optimizerSettings(optimizer));
    return text === null ? [] : [`optimizer of ${name}: ${text}`];
  });
}
