/**
 * The layers that a program can use, by name. Files of the library are parsed when a layer of theirs is
 * first asked for: a program uses a few of them, and start-up is most of what a check takes.
 */

import type { LayerDeclaration, SourceFile } from "../../grammar/ast.js";
import type { SourceText } from "../host.js";

/** Where a layer's declaration begins: every file of the library is in the one format. */
const headers = /^layer ([A-Za-z_]\w*)/gm;

export interface LayerNames {
  get(name: string): LayerDeclaration | undefined;
  has(name: string): boolean;
  keys(): readonly string[];
}

export class Layers implements LayerNames {
  private readonly parsed = new Map<string, LayerDeclaration>();
  private readonly files = new Map<string, SourceText>(); // of layers not parsed yet

  constructor(
    library: readonly SourceText[],
    private readonly parse: (text: string, path: string) => SourceFile,
  ) {
    for (const file of library)
      for (const [, name] of file.text.matchAll(headers)) this.files.set(name!, file);
  }

  /** A layer of the program's own takes the place of the library's. */
  add(layer: LayerDeclaration): void {
    this.files.delete(layer.name.name);
    this.parsed.set(layer.name.name, layer);
  }

  get(name: string): LayerDeclaration | undefined {
    const file = this.files.get(name);
    if (file)
      for (const item of this.parse(file.text, file.path).items)
        // of the file's layers, those that the program has not replaced
        if (item.kind === "layer" && this.files.has(item.name.name)) this.add(item);
    return this.parsed.get(name);
  }

  has(name: string): boolean {
    return this.parsed.has(name) || this.files.has(name);
  }

  keys(): string[] {
    return [...this.parsed.keys(), ...this.files.keys()];
  }
}
