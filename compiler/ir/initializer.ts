/**
 * How a parameter starts: an elementwise expression over random draws and positions, evaluated once
 * in float64 over the parameter's axes. Random draws come from the stream `init/<path>`.
 */

import type { ScalarFunction } from "./scalar-functions.js";

export type Initializer =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "normal" } // mean 0, deviation 1
  | { readonly kind: "uniform" } // in [0, 1)
  | { readonly kind: "iota"; readonly axis: string } // position along one of the parameter's axes
  | { readonly kind: "map"; readonly fn: ScalarFunction; readonly inputs: readonly Initializer[] };
