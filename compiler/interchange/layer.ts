/** What a layer of another program is here. */

import type { Places } from "./places.js";
import type { Settings } from "./settings.js";

export interface Layer {
  /** As the program writes it: `GLA(heads: 4, key: 128, value: 256)`. */
  readonly text: string;
  /** Its parameters by their paths below the layer; tensors below their layer. */
  readonly places: Places;
  /** Parameters whose numbers lie elsewhere in their model; tensors by their whole names. */
  readonly elsewhere?: Places;
}

/** Their mixer of block number `index`, from the settings. @throws RunError `import-not-equal` */
export type LayerOf = (settings: Settings, index: number) => Layer;
