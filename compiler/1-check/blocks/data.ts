/** `data` blocks: what a model learns from, text in files or tasks that are generated. */

import type { BlockDeclaration } from "../../../grammar/ast.js";
import type { DataSpec, MqarData, TextData } from "../../../runtime/data/open.node.js";
import { breaks } from "./bounds.js";
import { exclude } from "./exclusive.js";
import { readBlock } from "./owner.js";
import type { Scope } from "./schema.js";
import { type DataSettings, dataTable } from "./tables/data.js";

export type Data = { readonly name: string; readonly doc: string | null } & DataSpec;

/** Null when anything in the block is wrong (reported). */
export function checkData(block: BlockDeclaration, scope: Scope): Data | null {
  const { values, partial } = readBlock(dataTable, block, scope);
  const generates = scope.places.has("generate");
  const fits = [
    exclude("generate", ["tokenizer", "pack"], scope),
    generates ? taskFits(partial, scope) : shareFits(partial, scope),
  ];
  if (values === null || !fits.every(Boolean)) return null;
  return {
    name: block.name.name,
    doc: block.doc,
    ...(values.generate ? taskOf(values, values.generate) : textOf(values)),
  };
}

function textOf({ text, tokenizer, seq, pack, held_out }: DataSettings): TextData {
  const reads = tokenizer === "bytes" ? "bytes" : { json: tokenizer };
  return {
    kind: "text",
    text,
    tokenizer: reads,
    seq,
    pack: pack !== null,
    heldOut: held_out ?? 0.05,
  };
}

function taskOf(
  { seq, held_out }: DataSettings,
  task: NonNullable<DataSettings["generate"]>,
): MqarData {
  return { ...task, queries: task.queries ?? task.pairs, seq, heldOut: held_out ?? 512 };
}

/** Of a text a share is held out, and some is left to learn from. */
function shareFits({ held_out }: Partial<DataSettings>, scope: Scope): boolean {
  if (typeof held_out !== "number" || held_out < 1) return true;
  return breaks(
    "held_out",
    held_out,
    { range: "a share of the text, from 0 to below 1", path: "text", text: "of this text" },
    scope,
  );
}

/** The pairs need as many keys and values, and a row as many places (runtime/data/mqar.ts). */
function taskFits({ generate, seq, held_out }: Partial<DataSettings>, scope: Scope): boolean {
  const rows =
    typeof held_out !== "number" ||
    Number.isSafeInteger(held_out) ||
    breaks(
      "held_out",
      held_out,
      { range: "a whole number of rows", path: "generate", text: "a task without end" },
      scope,
    );
  if (!generate) return rows;
  const { pairs, vocab } = generate;
  const queries = generate.queries ?? pairs;
  const [ids, places] = [2 * pairs + 2, 2 * (pairs + queries)];
  const keys =
    vocab >= ids ||
    breaks(
      "generate.vocab",
      vocab,
      {
        range: `at least ${ids}`,
        path: "generate.pairs",
        text: `${pairs} pairs take a key and a value each`,
      },
      scope,
    );
  const room =
    seq === undefined ||
    seq >= places ||
    breaks(
      "seq",
      seq,
      {
        range: `at least ${places}`,
        path: "generate",
        text: `${pairs} pairs and ${queries} queries take two tokens each`,
      },
      scope,
    );
  return rows && keys && room;
}
