/** What holds for every text. `FUZZ=100000` runs more cases; `SEED` chooses others. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { format } from "../../grammar/format.js";
import { parse } from "../../grammar/parse.js";
import { anyProgram, randomProgram, realPrograms, withoutPlaces } from "./grammar-programs.js";

const runs = Number(process.env["FUZZ"] ?? 300);
const settings = { numRuns: runs, seed: Number(process.env["SEED"] ?? 1) };
const patience = 60_000 + runs * 60;

describe("any text", () => {
  test(
    "is parsed without an exception, soon, with every place inside it",
    { timeout: patience },
    () => {
      fc.assert(
        fc.property(anyProgram, (text) => {
          const start = performance.now();
          const { file, diagnostics } = parse(text, "any.lsm");
          expect(performance.now() - start).toBeLessThan(2000);
          expect(file.span).toEqual({ source: "any.lsm", start: 0, end: text.length });
          expect(JSON.stringify(file).includes('"kind":"error"') && diagnostics.length === 0).toBe(
            false,
          );
          for (const { span } of diagnostics.flatMap(({ labels }) => labels)) {
            expect(0 <= span.start && span.start <= span.end && span.end <= text.length).toBe(true);
          }
        }),
        settings,
      );
    },
  );

  test(
    "that is well formed keeps its tree and its comments when formatted, and is formatted once and for all",
    { timeout: patience },
    async () => {
      let formatted = 0;
      await fc.assert(
        fc.asyncProperty(fc.oneof(randomProgram, anyProgram), async (text) => {
          const { text: once, diagnostics } = await format(text);
          if (diagnostics.length > 0) return;
          formatted++;
          expect(withoutPlaces(once)).toEqual(withoutPlaces(text));
          expect((await format(once)).text).toBe(once);
        }),
        settings,
      );
      expect(formatted).toBeGreaterThan(runs / 4);
    },
  );

  test("that is well formed has lines of 80 columns, where they can be broken", async () => {
    const joined = realPrograms.map((program) =>
      program
        .replaceAll("\r", "")
        .replace(/(?<=[,([])\n\s*/g, " ")
        .replace(/,? *\n\s*(?=[)\]])/g, ""),
    );
    let formatted = 0;
    for (const text of joined) {
      const { text: found, diagnostics } = await format(text);
      if (diagnostics.length > 0) continue;
      formatted++;
      const code = found.split("\n").map((line) => line.replace(/\s*\/\/.*$/, ""));
      // a text, and a setting, which ends with its line, stay whole
      expect(code.filter((line) => line.length > 80 && !line.includes('"'))).toEqual([]);
    }
    expect(formatted).toBeGreaterThan(realPrograms.length / 2);
  });

  test(
    "that is well formed takes a comment at the end of any of its lines",
    { timeout: patience },
    async () => {
      const commented = fc
        .tuple(fc.constantFrom(...realPrograms), fc.array(fc.nat(), { maxLength: 5 }))
        .map(([program, places]) => {
          const lines = program.replaceAll("\r", "").split("\n");
          for (const [i, place] of places.entries())
            lines[place % lines.length] += place % 2 === 0 ? ` // ${i}` : `\n// ${i}`;
          return lines.join("\n");
        });
      await fc.assert(
        fc.asyncProperty(commented, async (text) => {
          const { text: once, diagnostics } = await format(text);
          expect(diagnostics).toEqual([]);
          expect(withoutPlaces(once)).toEqual(withoutPlaces(text));
          expect((await format(once)).text).toBe(once);
        }),
        { ...settings, numRuns: Math.min(runs, 5000) },
      );
    },
  );
});
