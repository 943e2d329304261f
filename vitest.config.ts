/**
 * The test run. Text goldens use `toMatchFileSnapshot`, so `npm run accept` takes over new ones, while with
 * CI set a missing or different one fails. `.ci/run` names a file for a report that a program can read.
 */
import { defineConfig } from "vitest/config";

const report = process.env["LSM_TEST_REPORT"];

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    env: { LSM_DEBUG: "1" }, // the IR is verified after every pass
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: report === undefined ? ["default"] : ["default", "json"],
    ...(report === undefined ? {} : { outputFile: { json: report } }),
  },
});
