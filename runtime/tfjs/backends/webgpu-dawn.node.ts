/**
 * `navigator.gpu` in Node, from Dawn (npm package `webgpu`, optional: 132 MB).
 */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";

interface Dawn {
  create(options: string[]): unknown;
  readonly globals: Record<string, unknown>;
}

/** False when the package is not installed. Throws when it is, and does not load. */
export async function provideNavigator(): Promise<boolean> {
  if (globalThis.navigator && "gpu" in globalThis.navigator) return true;
  const require = createRequire(import.meta.url);
  try {
    require.resolve("webgpu");
  } catch {
    return false;
  }
  const dawn = (await import("webgpu" as string)) as Dawn;
  Object.assign(globalThis, dawn.globals);
  const gpu = dawn.create([]);
  Object.defineProperty(globalThis, "navigator", {
    value: { userAgent: `Node.js/${process.versions.node}`, gpu },
    configurable: true,
    writable: true,
  });
  return true;
}

/** False where Linux shows no graphics device at all. */
export function mayHaveGpu(): boolean {
  return (
    process.platform !== "linux" || ["/dev/dri", "/dev/nvidia0"].some((path) => existsSync(path))
  );
}
