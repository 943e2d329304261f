/** All models that every target is compared on. */

import { layerCases } from "./layers.js";
import { windowCases } from "./windows.js";

export const modelCases: readonly (readonly [string, string])[] = [...layerCases, ...windowCases];
