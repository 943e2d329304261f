/** A graph loaded into TensorFlow. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Binding, TensorMetadata } from "./binding.js";
import { type GraphDef, type Input, tag } from "./graph-def.js";

export class Session {
  readonly #binding: Binding;
  readonly #model: number;

  constructor(binding: Binding, graph: GraphDef) {
    this.#binding = binding;
    const folder = mkdtempSync(join(tmpdir(), "lsm-graph-"));
    try {
      mkdirSync(join(folder, "variables"));
      writeFileSync(join(folder, "saved_model.pb"), graph.savedModel());
      this.#model = binding.loadSavedModel(folder, tag);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** The outputs' tensors, which the caller deletes; `feeds` are ids of tensors by the placeholders' names. */
  run(feeds: ReadonlyMap<Input, number>, outputs: readonly Input[]): TensorMetadata[] {
    const [names, ids] = [[...feeds.keys()], [...feeds.values()]];
    return this.#binding.runSavedModel(this.#model, ids, names.join(), outputs.join());
  }

  free(): void {
    this.#binding.deleteSavedModel(this.#model);
  }
}
