/** All built-in functions by name. What can be said in the language is in stdlib/ instead. */

import type { Builtin } from "./builtin.js";
import { contractionBuiltins } from "./contraction.js";
import { gradBuiltins } from "./grad.js";
import { mathBuiltins } from "./math.js";
import { modelBuiltins } from "./model.js";
import { parameterBuiltins } from "./parameters.js";
import { rotateBuiltins } from "./rotate.js";
import { routeBuiltins } from "./route.js";
import { seriesBuiltins } from "./series.js";
import { structureBuiltins } from "./structure.js";
import { timeBuiltins } from "./time.js";

export const builtins: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  ...mathBuiltins,
  ...contractionBuiltins,
  ...gradBuiltins,
  ...parameterBuiltins,
  ...structureBuiltins,
  ...rotateBuiltins,
  ...timeBuiltins,
  ...routeBuiltins,
  ...modelBuiltins,
  ...seriesBuiltins,
]);
