/** `lsm setup native`, for the command line. */

export { type SetupOptions, type SetupResult, setupNative } from "./setup.node.js";
