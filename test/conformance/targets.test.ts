/**
 * Every model on every tfjs backend against the interpreter: values, all gradients, three training steps,
 * generation token by token; and no tensor left behind.
 */

import { describe, expect, it } from "vitest";
import { modelCases } from "../support/models/cases.js";
import { type BackendRun, backendRuns, runOnBackend } from "../support/models/run-on-backend.js";

/** float32 against float64, as bars.md asks. */
const tolerance = 1e-4;

interface Line {
  readonly label: string;
  readonly gradients: number;
  readonly worst: string;
  readonly steps: number;
  readonly decoding: number;
  /** Of some cases: three steps with Muon. */
  readonly muon: {
    readonly gradients: number;
    readonly worst: string;
    readonly steps: number;
  } | null;
  readonly leaked: number;
}

describe.each(backendRuns)("$backend", ({ backend, cases, time, available }: BackendRun) => {
  it.skipIf(!available)(
    "computes what the interpreter computes",
    async () => {
      const lines = (await runOnBackend(backend, cases, time)) as Line[];
      expect(lines.map(({ label }) => label)).toEqual(
        modelCases.slice(0, cases).map(([label]) => label),
      );
      for (const line of lines) {
        const { label, gradients, worst, steps, muon, decoding, leaked } = line;
        expect(gradients, `${label}: ${worst}`).toBeLessThan(tolerance);
        expect(steps, `${label}: three steps`).toBeLessThan(tolerance);
        expect(muon?.gradients ?? 0, `${label}, Muon: ${muon?.worst}`).toBeLessThan(tolerance);
        expect(muon?.steps ?? 0, `${label}, Muon: three steps`).toBeLessThan(tolerance);
        expect(decoding, `${label}: decoding`).toBeLessThan(tolerance);
        expect(leaked, `${label}: tensors`).toBe(0);
      }
    },
    600_000,
  );
});
