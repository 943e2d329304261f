/**
 * The one error class of the runtime. Everything a user can run into (a missing file, unreadable data, a full
 * disk, a bad checkpoint) is a `RunError`; the command line prints it without a stack. Anything else is a fault.
 */

export interface RunErrorParts {
  /** Stable and kebab-case, such as `checkpoint-corrupt`. */
  readonly code: string;
  /** What went wrong, one sentence without a full stop. */
  readonly what: string;
  /** The file, tensor, setting or step it happened at. */
  readonly where: string;
  /** What to do about it. */
  readonly help: string;
}

export class RunError extends Error implements RunErrorParts {
  override readonly name = "RunError";
  readonly code: string;
  readonly what: string;
  readonly where: string;
  readonly help: string;

  constructor(parts: RunErrorParts, options?: ErrorOptions) {
    super(
      `error[${parts.code}]: ${parts.what}\n  --> ${parts.where}\nhelp: ${parts.help}`,
      options,
    );
    this.code = parts.code;
    this.what = parts.what;
    this.where = parts.where;
    this.help = parts.help;
  }
}
