/** Everything a program declares: its own file, the files it uses, the standard library. */

import type {
  BlockDeclaration,
  Item,
  LayerDeclaration,
  ModelDeclaration,
  SourceFile,
} from "../../grammar/ast.js";
import { parse } from "../../grammar/parse.js";
import { messages } from "../diagnostics/messages.generated.js";
import type { Reporter } from "../diagnostics/report.js";
import { type Host, HostError } from "../host.js";
import { type LayerNames, Layers } from "./layers.js";
import type { Memory } from "./memory.js";
import { read } from "./reading.js";

export interface Declarations {
  readonly layers: LayerNames; // the user's before the library's
  readonly ownLayers: readonly LayerDeclaration[]; // of the main file
  readonly models: ReadonlyMap<string, ModelDeclaration>;
  readonly ownModels: ReadonlySet<string>; // of the main file
  readonly blocks: readonly BlockDeclaration[];
  readonly sources: ReadonlyMap<string, string>;
  /** The program's own files by their paths, the main one first. */
  readonly files: ReadonlyMap<string, SourceFile>;
  /** Paths of the library's files, which the user has not written. */
  readonly library: ReadonlySet<string>;
  /** Layers and models with syntax errors inside: what is missing in them may have been written. */
  readonly damaged: ReadonlySet<Item>;
}

/** What a file does when it is run; a file that uses it takes its parts, not its jobs. */
const jobs: ReadonlySet<Item["kind"]> = new Set(["train", "convert"]);

/** Reads a program and all it uses; what cannot be read or parsed is reported and left out. */
export function collect(
  host: Host,
  path: string,
  text: string,
  reporter: Reporter,
  memory: Memory | null = null,
): Declarations {
  const sources = new Map<string, string>();
  const layers = new Layers(
    host.library(),
    memory?.readLibrary ?? ((content, file) => parse(content, file).file),
  );
  for (const file of host.library()) sources.set(file.path, file.text);
  const library = new Set(sources.keys());
  const files = new Map<string, SourceFile>();
  const damaged = new Set<Item>();
  visit(path, text);
  const main = files.get(path)!;
  const declared = new Map<string, Exclude<Item, { kind: "use" | "error" }>>();
  for (const file of files.values())
    for (const item of file.items) {
      if (item.kind === "error" || item.kind === "use") continue;
      if (file !== main && jobs.has(item.kind)) continue;
      const earlier = declared.get(item.name.name);
      if (earlier)
        reporter.report(messages.duplicateDeclaration({ name: item.name.name }), [
          { span: item.name.span, text: "again here" },
          { span: earlier.name.span, text: "first here" },
        ]);
      else declared.set(item.name.name, item);
    }
  const items = [...declared.values()];
  for (const item of items) if (item.kind === "layer") layers.add(item);
  return {
    layers,
    ownLayers: main.items.filter((item) => item.kind === "layer"),
    models: new Map(
      items.flatMap((item) => (item.kind === "model" ? [[item.name.name, item]] : [])),
    ),
    ownModels: new Set(
      main.items.flatMap((item) => (item.kind === "model" ? [item.name.name] : [])),
    ),
    blocks: items.flatMap((item) => (item.kind === "layer" || item.kind === "model" ? [] : [item])),
    sources,
    files,
    library,
    damaged,
  };

  function visit(source: string, content: string): void {
    if (files.has(source)) return;
    library.delete(source); // who works on the library itself has written it
    sources.set(source, content);
    const { file, diagnostics, damaged: here } = (memory?.read ?? read)(content, source);
    reporter.addAll(diagnostics);
    for (const item of here) damaged.add(item);
    files.set(source, file);
    for (const item of file.items) {
      if (item.kind !== "use") continue;
      const target = host.resolve(source, item.path.value);
      try {
        visit(target, host.readText(target));
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        reporter.report(messages.fileNotFound({ path: item.path.value, reason: error.reason }), [
          { span: item.path.span, text: "used here" },
        ]);
      }
    }
  }
}
