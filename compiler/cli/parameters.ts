/** A model's parameters, without compiling it for any batch. */

import type { ParameterSpec } from "../../runtime/tfjs/train/trainable.js";
import { type Model, timeOf } from "../1-check/model.js";
import { lower } from "../2-lower/lower.js";
import { modelParameters } from "../ir/program.js";

export function parameterSpecs(model: Model): ParameterSpec[] {
  const { functions, main } = lower(model.module, { batch: 1, time: timeOf(model, 1) });
  return modelParameters(functions, main).map(({ type, ...rest }) => ({
    ...rest,
    axes: type.axes,
  }));
}
