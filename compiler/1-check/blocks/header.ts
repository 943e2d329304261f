/** The header of a `parallel` block: `on h100 * 64`. */

import type { BlockDeclaration } from "../../../grammar/ast.js";
import { messages } from "../../diagnostics/messages.generated.js";
import { type Device, devices } from "./devices.js";
import { count } from "./readers/number.js";
import { word } from "./readers/word.js";
import type { Scope } from "./schema.js";

export interface On {
  readonly device: Device;
  readonly devices: number; // in all
}

const usage = "parallel NAME on DEVICE * N";

/** Null when it is missing or wrong (reported). */
export function readHeader({ on, name }: BlockDeclaration, scope: Scope): On | null {
  if (!on) {
    const message = messages.missingPart({
      key: `\`parallel ${name.name}\``,
      part: "`on` and a device",
    });
    const help = `write \`parallel ${name.name} on h100 * 8 { … }\``;
    scope.reporter.report(message, [{ span: name.span, text: "on what?" }], help);
    return null;
  }
  const { device, count: many } = on;
  scope.places.set("on", many ? { ...device.span, end: many.span.end } : device.span);
  const site = { path: "on", usage, help: `\`${usage}\`: the kind of device, and how many`, scope };
  const kind = word(devices).read({ kind: "name", ...device }, { ...site, name: "the device" });
  const all = many ? count.read(many, { ...site, name: "the number of devices" }) : 1;
  return kind === undefined || all === undefined ? null : { device: kind, devices: all };
}
