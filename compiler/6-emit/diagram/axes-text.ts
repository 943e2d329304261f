/** Axes on a wire: `heads 4 × key 16`; a token's single number has none. */

import type { Axis } from "../../ir/types.js";

export function axesText(axes: readonly Axis[]): string {
  return axes.length === 0
    ? "1 number"
    : axes.map(({ name, size }) => `${name.replace(/₁$/, "")} ${size}`).join(" × ");
}
