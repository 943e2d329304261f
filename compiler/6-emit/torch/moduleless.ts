/** A step of a recurrence has no modules. */

import type { LeafModules } from "./leaves.js";

export const LeafModuleless: LeafModules = new Map();
