/** Rules of a mesh by itself: its product, and that every axis has something to share out. */

import { messages } from "../../diagnostics/messages.generated.js";
import type { Scope } from "./schema.js";
import type { MeshAxes, MeshAxis } from "./tables/mesh.js";
import type { ParallelSettings } from "./tables/parallel.js";

/** What the axes are for that need something placed over them. */
export const placements = [
  ["cp", "sequence", "sequence over cp by lasp2"],
  ["tp", "heads", "heads over tp"],
  ["ep", "experts", "experts over ep"],
  ["pp", "blocks", "blocks over pp"],
] as const satisfies readonly (readonly [MeshAxis, keyof ParallelSettings, string])[];

/** The axes that are the first to be changed when the product is wrong. */
const easiest = ["dp_shard", "dp_replicate", "cp", "ep", "tp", "pp"] as const;

export function productFits(mesh: MeshAxes, devices: number, { places, reporter }: Scope): boolean {
  const sizes = Object.values(mesh);
  const product = sizes.reduce((all, size) => all * size, 1);
  if (product === devices) return true;
  const fix = easiest.find((axis) => devices % (product / mesh[axis]) === 0);
  const change = fix
    ? `make \`${fix}\` ${(devices * mesh[fix]) / product}`
    : `make the product ${devices}`;
  const labels = [
    { span: places.get("mesh")!, text: `${sizes.join(" · ")} = ${product}` },
    { span: places.get("on")!, text: `${devices} devices` },
  ];
  reporter.report(
    messages.meshProduct({ product, count: devices }),
    labels,
    `${change}, or take ${product} devices`,
  );
  return false;
}

/** Devices along an axis over which nothing is placed would all do the same work. */
export function placementsFit(
  mesh: MeshAxes,
  placed: Partial<ParallelSettings>,
  { places, reporter }: Scope,
): boolean {
  let fits = true;
  for (const [axis, key, example] of placements) {
    const size = places.get(`mesh.${axis}`);
    const given = places.get(key);
    if (size && !given && mesh[axis] > 1) {
      fits = false;
      const labels = [{ span: size, text: `${mesh[axis]} devices that do the same` }];
      const help = `add \`${example}\`, or make \`${axis}\` 1`;
      reporter.report(messages.idleDevices({ axis, count: mesh[axis] }), labels, help);
    }
    if (!size && given && placed[key])
      reporter.report(messages.idlePlacement({ key, axis }), [
        { span: given, text: `over \`${axis}\`` },
        { span: places.get("mesh")!, text: `has no \`${axis}\`` },
      ]);
  }
  return fits;
}
