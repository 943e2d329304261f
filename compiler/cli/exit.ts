/** What a finished command tells the shell. */
export const Exit = {
  ok: 0,
  /** Mistakes in the user's program. */
  mistakes: 1,
  /** Wrong usage of the command line. */
  usage: 2,
  /** The environment refused: a missing file, a full disk. */
  environment: 3,
  /** A mistake in lsm itself. */
  internal: 70,
} as const;

export type ExitCode = (typeof Exit)[keyof typeof Exit];

/** A wrong use of the command line that the argument definitions alone cannot see. */
export class UsageError extends Error {
  override readonly name = "UsageError";

  constructor(
    message: string,
    readonly help: string | null = null,
  ) {
    super(message);
  }
}
