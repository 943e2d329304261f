/** How fast a run goes, over its last steps: pauses for evaluation and checkpoints can be left out. */

const REMEMBERED = 50; // steps

export class Pace {
  readonly #steps: { readonly tokens: number; readonly seconds: number }[] = [];
  #last: number;

  /** @param now the time in milliseconds, as `performance.now` gives it */
  constructor(readonly now: () => number) {
    this.#last = now();
  }

  /** Starts the clock of the next step anew: call it after a pause that is not training. */
  skip(): void {
    this.#last = this.now();
  }

  /** A step that took in `tokens` has just ended. */
  tick(tokens: number): void {
    const now = this.now();
    this.#steps.push({ tokens, seconds: (now - this.#last) / 1000 });
    if (this.#steps.length > REMEMBERED) this.#steps.shift();
    this.#last = now;
  }

  /** 0 before the first step. */
  get tokensPerSecond(): number {
    return this.#sum("tokens") / Math.max(1e-9, this.#sum("seconds"));
  }

  /** Seconds that `steps` more will take; NaN before the first step. */
  secondsFor(steps: number): number {
    return (this.#sum("seconds") / this.#steps.length) * steps;
  }

  #sum(field: "tokens" | "seconds"): number {
    return this.#steps.reduce((sum, step) => sum + step[field], 0);
  }
}
