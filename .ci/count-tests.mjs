/**
 * Prints `tests: N passed, N failed` from vitest's JSON report; a test file that did not load is one failure.
 * Without a report no test ran.
 */
import { readFileSync } from "node:fs";

const text = readFileSync(process.argv[2], "utf8");
const report =
  text === "" ? { testResults: [], numPassedTests: 0, numFailedTests: 0 } : JSON.parse(text);
const unloaded = report.testResults.filter(
  ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
);
const failed = report.numFailedTests + unloaded.length;
console.log(`tests: ${report.numPassedTests} passed, ${failed} failed`);
