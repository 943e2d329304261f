/** Shares that are not even, and which would be. */

import type { Message } from "../../diagnostics/diagnostic.js";
import { messages } from "../../diagnostics/messages.generated.js";

/** `counts[0]` of `what` over a number of `part`s; with the nearest numbers that divide all counts. */
export function unevenShare(
  counts: readonly number[],
  what: string,
  parts: number,
  part: string,
): Message {
  const all = counts.reduce(commonDivisor);
  const below = nearest(all, parts, -1);
  const above = nearest(all, parts, 1);
  const fitting = [...new Set([below, above])].filter((n) => n !== null).join(" or ");
  const message = messages.unevenShare({ count: counts[0]!, what, parts, part });
  return { ...message, help: `a number that divides ${all} would do: ${fitting}` };
}

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

/** The divisor of n that is nearest to `from`, downwards or upwards. */
function nearest(n: number, from: number, step: -1 | 1): number | null {
  const farthest = 4096; // from there on nobody looks for a divisor
  for (
    let tried = 0, d = Math.min(from, n);
    tried < farthest && d >= 1 && d <= n;
    tried++, d += step
  )
    if (n % d === 0) return d;
  return null;
}
