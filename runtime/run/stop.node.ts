/**
 * Ctrl-C and `kill`: the first signal asks the trainer to save and end after the step it is in, the second ends the
 * process at once. The trainer looks at `signal` between two steps; nothing is interrupted.
 */

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const; // and the exit codes shells expect

export type StopSignal = keyof typeof SIGNALS;

/** What the listener needs of `process`. */
export interface SignalSource {
  on(signal: StopSignal, listener: () => void): unknown;
  off(signal: StopSignal, listener: () => void): unknown;
  exit(code: number): unknown;
}

export interface StopListener {
  /** The first signal that came, or null. */
  readonly signal: StopSignal | null;
  /** The exit code that goes with it, or 0. */
  readonly exitCode: number;
  /** Gives the signals back; call it when training has ended. */
  dispose(): void;
}

/** @param onFirst says to the user that the run is about to save and end */
export function listenForStop(
  onFirst: (signal: StopSignal) => void,
  source: SignalSource = process,
): StopListener {
  let signal: StopSignal | null = null;
  const listeners = (Object.keys(SIGNALS) as StopSignal[]).map((name) => {
    const listener = () => {
      if (signal !== null) return void source.exit(SIGNALS[name]);
      signal = name;
      onFirst(name);
    };
    source.on(name, listener);
    return { name, listener };
  });
  return {
    get signal() {
      return signal;
    },
    get exitCode() {
      return signal === null ? 0 : SIGNALS[signal];
    },
    dispose: () => listeners.forEach(({ name, listener }) => source.off(name, listener)),
  };
}
