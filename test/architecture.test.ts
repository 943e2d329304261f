/** The rules of the folders, held against every import: phases look back only, and nothing goes in circles. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

interface Import {
  readonly from: string;
  readonly to: string; // a path in the repository, or the name of a package
  readonly typeOnly: boolean;
}

const files = ["grammar", "compiler", "runtime"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name))
    // programs of their own, which stand outside of all phases
    .filter((path) => !path.startsWith("grammar/vscode/")),
);

const imports = files.flatMap((from): Import[] => {
  const text = readFileSync(join(root, from), "utf8");
  const statements = text.matchAll(
    /^(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"|\bimport\("([^"]+)"\)/gm,
  );
  return [...statements].map(([, typeOnly, statically, lazily]) => {
    const name = statically ?? lazily!;
    const to = name.startsWith(".")
      ? relative(root, join(root, dirname(from), name)).replace(/\.js$/, ".ts")
      : name;
    return { from, to, typeOnly: typeOnly !== undefined };
  });
});

const show = (list: readonly Import[]) => list.map(({ from, to }) => `${from} imports ${to}`);
const inside = (path: string, ...folders: string[]) =>
  folders.some((folder) => path.startsWith(`${folder}/`));
const phase = (path: string) => {
  const number = /^compiler\/(\d)-/.exec(path)?.[1];
  return number === undefined ? null : Number(number);
};
const local = imports.filter(({ to }) => inside(to, "grammar", "compiler", "runtime"));

describe("imports", () => {
  test("are found", () => {
    expect(imports.length).toBeGreaterThan(files.length);
    expect(show(local)).toContain("compiler/diagnostics/diagnostic.ts imports grammar/ast.ts");
  });

  test("of a phase reach earlier phases and common ground only", () => {
    const common = ["grammar", "compiler/ir", "compiler/diagnostics", "runtime"];
    const wrong = local.filter(({ from, to }) => {
      const own = phase(from);
      if (own === null || to === "compiler/host.ts" || inside(to, ...common)) return false;
      const other = phase(to);
      return other === null || other > own;
    });
    expect(show(wrong)).toEqual([]);
  });

  test("of common ground reach no phase and no command", () => {
    const wrong = local.filter(
      ({ from, to }) =>
        (inside(from, "grammar", "compiler/ir", "compiler/diagnostics") ||
          from === "compiler/host.ts") &&
        (phase(to) !== null || inside(to, "compiler/cli") || to === "compiler/compile.ts"),
    );
    expect(show(wrong)).toEqual([]);
  });

  test("of the runtime reach no compiler phase and no command", () => {
    const wrong = local.filter(
      ({ from, to }) =>
        inside(from, "runtime") && (phase(to) !== null || inside(to, "compiler/cli")),
    );
    expect(show(wrong)).toEqual([]);
  });

  test("of the compiler's core need no Node: it runs in a browser as well", () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        inside(from, "grammar", "compiler") &&
        !inside(from, "compiler/cli") &&
        to.startsWith("node:"),
    );
    expect(show(wrong)).toEqual([]);
  });

  test("of the language server reach no command: pages run it in a worker", () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        inside(from, "compiler/server") &&
        (inside(to, "compiler/cli") || /^vscode-languageserver\/(?:node|browser)$/.test(to)),
    );
    expect(show(wrong)).toEqual([]);
  });

  test("make no circle", () => {
    expect(circles(local.filter(({ typeOnly }) => !typeOnly))).toEqual([]);
  });
});

/** Each circle once, as the files along it. Types may refer to each other: they are gone when the code runs. */
function circles(edges: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to]);
  const found: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string) => {
    if (path.includes(file)) {
      found.push([...path.slice(path.indexOf(file)), file].join(" -> "));
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const to of next.get(file) ?? []) visit(to);
    path.pop();
    done.add(file);
  };
  for (const file of next.keys()) visit(file);
  return found;
}
