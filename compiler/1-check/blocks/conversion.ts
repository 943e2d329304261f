/** What a `convert` block comes to. */

export interface Conversion {
  readonly name: string;
  readonly doc: string | null;
  /** A folder with a Hugging Face model, from the program's own. */
  readonly from: string;
  readonly replacements: readonly Replacement[];
  readonly tune: Tuning;
}

export interface Replacement {
  readonly layer: string;
  readonly by: LayerUse;
}

/** A layer with arguments, all of them known. */
export interface LayerUse {
  readonly layer: string;
  readonly options: Readonly<Record<string, number | boolean | string>>;
}

export type Tuning =
  | { readonly kind: "all" }
  /** Low-rank updates (Hu et al., 2022), scaled by alpha / rank, of the named maps of the new layers. */
  | {
      readonly kind: "lora";
      readonly rank: number;
      readonly alpha: number;
      readonly on: readonly string[];
    };
