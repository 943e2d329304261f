/** How wrong forecasts are, on the mean over all their values. */

export interface Errors {
  readonly mse: number; // mean squared error
  readonly mae: number; // mean absolute error
}

export class ErrorSum {
  #squares = 0;
  #absolutes = 0;
  #count = 0;

  add(forecast: ArrayLike<number>, truth: ArrayLike<number>): void {
    for (let i = 0; i < truth.length; i++) {
      const difference = forecast[i]! - truth[i]!;
      this.#squares += difference ** 2;
      this.#absolutes += Math.abs(difference);
    }
    this.#count += truth.length;
  }

  /** NaN before the first. */
  get mean(): Errors {
    return { mse: this.#squares / this.#count, mae: this.#absolutes / this.#count };
  }
}
