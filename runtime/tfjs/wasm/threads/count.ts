/** How many threads kernels may use: `LSM_THREADS`, else one for each processor, at most eight. */

const most = 8; // beyond it the kernels, which last some tens of microseconds, are too short to share

/** In Node; browsers forbid their main thread to wait, so there it is one. */
export function threadsWanted(): number {
  if (typeof process === "undefined" || !process.versions?.node) return 1;
  const asked = Number(process.env["LSM_THREADS"]);
  return Number.isInteger(asked) && asked > 0 ? asked : Math.min(processors(), most);
}

/** Without an import, so that browsers can load this. */
function processors(): number {
  return process.getBuiltinModule("node:os").availableParallelism();
}
