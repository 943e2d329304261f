/** A model's parameters, without compiling it for any batch. */

import type { ParameterSpec } from "../../runtime/tfjs/train/trainable.js";
import type { Model } from "../1-check/model.js";
import { lower } from "../2-lower/lower.js";
import { modelParameters } from "../ir/program.js";

export function parameterSpecs({ module }: Model): ParameterSpec[] {
  const { functions, main } = lower(module, { batch: 1, time: 1 });
  return modelParameters(functions, main).map(({ type, ...rest }) => ({
    ...rest,
    axes: type.axes,
  }));
}
