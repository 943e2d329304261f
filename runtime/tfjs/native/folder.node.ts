/**
 * Where `lsm setup native` puts TensorFlow for Node: a folder of the user's own, so that neither `npm ci` nor
 * another project's install takes it away. `LSM_NATIVE` moves it.
 */

import { homedir } from "node:os";
import { join } from "node:path";

export function nativeFolder(): string {
  const { LSM_NATIVE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (LSM_NATIVE) return LSM_NATIVE;
  const cache =
    XDG_CACHE_HOME || (process.platform === "win32" && LOCALAPPDATA) || join(homedir(), ".cache");
  return join(cache, "lsm", "native");
}
