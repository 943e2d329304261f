/**
 * Backends that must be there: `LSM_REQUIRE="node-gpu webgpu"`, as CI sets it, turns their absence from a
 * skipped test into a failure.
 */
export function required(backend: string): boolean {
  return (process.env.LSM_REQUIRE ?? "").split(/[\s,]+/).includes(backend);
}
