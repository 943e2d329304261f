/** Values that another value bounds. */

import { messages } from "../../diagnostics/messages.generated.js";
import type { Scope } from "./schema.js";

/** What another value allows: "at most 100", because of what is said at `path`. */
export interface Bound {
  readonly range: string;
  readonly path: string;
  readonly text: string;
}

/** Reports a value that breaks a bound, with both places; always false. */
export function breaks(
  path: string,
  value: number,
  bound: Bound,
  { places, reporter }: Scope,
): false {
  const name = `\`${path.split(".").at(-1)!}\``;
  const by = places.get(bound.path);
  const span = places.get(path) ?? by!;
  reporter.report(
    messages.outOfRange({ name, range: bound.range, value }),
    [
      { span, text: places.has(path) ? `this is ${value}` : `${name} is ${value}` },
      ...(by && by !== span ? [{ span: by, text: bound.text }] : []),
    ],
    `change one of the two: ${name} must be ${bound.range}`,
  );
  return false;
}
