/** Settings of which a block may have one. */

import { messages } from "../../diagnostics/messages.generated.js";
import type { Scope } from "./schema.js";

/** Reports each of `others` that stands beside `key`; whether there was none. */
export function exclude(
  key: string,
  others: readonly string[],
  { places, reporter }: Scope,
): boolean {
  const own = places.get(key);
  const present = own ? others.filter((other) => places.has(other)) : [];
  for (const other of present)
    reporter.report(messages.conflictingSettings({ first: key, second: other }), [
      { span: places.get(other)!, text: `\`${other}\` here` },
      { span: own!, text: `\`${key}\` here` },
    ]);
  return present.length === 0;
}
