/**
 * Learning-rate schedules: pure functions of the step, so that a resumed run needs no state for them.
 * Step 0 is the first update. Warm-up rises in a straight line and is never zero.
 */

/** The rates between `peak`, the optimiser's `lr`, and `floor`, also a learning rate; lengths count updates. */
export type Schedule =
  /** Straight up over `warmup` updates, none unless given, then constant. */
  | { readonly kind: "constant"; readonly warmup?: number }
  /** Straight down from the end of the warm-up to the end of training. */
  | { readonly kind: "linear"; readonly warmup: number; readonly floor: number }
  /** Half a cosine from the end of the warm-up to the end of training. */
  | { readonly kind: "cosine"; readonly warmup: number; readonly floor: number }
  /** Warm-up, stable, then straight down over the last `decay` updates (Hu et al. 2024, MiniCPM). */
  | {
      readonly kind: "wsd";
      readonly warmup: number;
      readonly decay: number;
      readonly floor: number;
    };

/**
 * The learning rate of one update.
 *
 * @param step updates made before it, from 0
 * @param steps updates in all; beyond them the rate stays where it ended
 */
export function learningRate(
  schedule: Schedule,
  peak: number,
  step: number,
  steps: number,
): number {
  const { warmup = 0 } = schedule;
  if (step < warmup) return (peak * (step + 1)) / (warmup + 1);
  switch (schedule.kind) {
    case "constant":
      return peak;
    case "linear":
      return peak + (schedule.floor - peak) * share(step - warmup, steps - warmup);
    case "cosine": {
      const { floor } = schedule;
      const done = share(step - warmup, steps - warmup);
      return floor + ((peak - floor) * (1 + Math.cos(Math.PI * done))) / 2;
    }
    case "wsd": {
      const { decay, floor } = schedule;
      return peak + (floor - peak) * share(step - (steps - decay), decay);
    }
  }
}

/** part / whole, kept between 0 and 1. */
function share(part: number, whole: number): number {
  return whole <= 0 ? 1 : Math.min(1, Math.max(0, part / whole));
}
