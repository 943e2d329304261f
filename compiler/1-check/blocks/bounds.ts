/** Values that another value bounds. */

import { messages } from "../../diagnostics/messages.generated.js";
import type { Scope } from "./schema.js";

/** What another value allows. */
export interface Bound {
  readonly range: string; // "at most 100"
  readonly path: string; // of the other value
  readonly text: string; // what it says
  readonly help: string;
}

/** Reports a value that breaks a bound, with both places; always false. */
export function breaks(
  path: string,
  value: number,
  { range, path: other, text, help }: Bound,
  { places, reporter }: Scope,
): false {
  const name = `\`${path.split(".").at(-1)!}\``;
  const [own, by] = [places.get(path), places.get(other)];
  reporter.report(
    messages.outOfRange({ name, range, value }),
    [
      ...(own ? [{ span: own, text: `this is ${value}` }] : []),
      ...(by ? [{ span: by, text }] : []),
    ],
    help,
  );
  return false;
}
