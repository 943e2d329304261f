/** The tables of all blocks as plain data: for `lsm explain`, completion, and the generated reference. */

import type { BlockDeclaration } from "../../../grammar/ast.js";
import { devices } from "./devices.js";
import type { Choice, Need, Row, Table } from "./schema.js";
import { convertTable } from "./tables/convert.js";
import { dataTable } from "./tables/data.js";
import { parallelTable } from "./tables/parallel.js";
import { trainTable } from "./tables/train.js";

export interface BlockDescription {
  readonly kind: BlockDeclaration["kind"];
  readonly doc: string;
  /** What stands behind the name in a header; null for nothing. */
  readonly header: string | null;
  readonly keys: readonly KeyDescription[];
  /** Words that the header takes. */
  readonly words: readonly ChoiceDescription[];
}

export interface KeyDescription {
  readonly key: string;
  readonly usage: string; // `checkpoint every N`
  readonly takes: string; // "a whole number from 1 on"
  readonly need: Need;
  readonly or: readonly string[]; // other keys that stand in for this one
  readonly default: string | null; // as it would be written; null where there is none
  readonly doc: string;
  readonly choices: readonly ChoiceDescription[];
}

export interface ChoiceDescription {
  readonly word: string;
  readonly doc: string;
  readonly options: readonly KeyDescription[];
}

export function describeBlocks(): readonly BlockDescription[] {
  return [
    block("data", "What a model learns from.", dataTable),
    block("train", "How a model is trained.", trainTable),
    {
      ...block("parallel", "How a training is laid out over devices.", parallelTable),
      header: "on DEVICE * N",
      words: Object.entries(devices).map(([word, doc]) => ({ word, doc, options: [] })),
    },
    block("convert", "How a pretrained model becomes one of this program's.", convertTable),
  ];
}

function block(kind: BlockDescription["kind"], doc: string, table: Table): BlockDescription {
  return { kind, doc, header: null, keys: describe(table, ""), words: [] };
}

function describe(table: Table, separator: string): KeyDescription[] {
  return Object.entries(table).map(([key, { form, need, or, otherwise, doc }]) => ({
    key,
    usage: form.usage(key + separator),
    takes: form.takes,
    need,
    or,
    default: need === "optional" ? written(otherwise) : null,
    doc,
    choices: form.choices.map(describeChoice),
  }));
}

const describeChoice = ({ word, doc, options }: Choice): ChoiceDescription => ({
  word,
  doc,
  options: options === null ? [] : describe(options, ":"),
});

/** A default as a program would write it. */
function written(value: Row<unknown>["otherwise"]): string | null {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return `(${value.map(written).join(", ")})`;
  if (typeof value === "object") return "kind" in value ? String(value.kind) : null;
  return String(value);
}
