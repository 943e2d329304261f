/** The settings of a `data` block. */

import { count, number } from "../readers/number.js";
import { either, text, titles, truth, two } from "../readers/text.js";
import { variant, word } from "../readers/word.js";
import { optional, otherwise, requiredOr, someOr } from "../rows.js";
import type { Values } from "../schema.js";

const mqarOptions = {
  pairs: otherwise(count, 8, "key-value pairs in a row"),
  queries: optional(count, "queries in a row, as many as pairs unless given"),
  vocab: otherwise(count, 64, "ids in all"),
  power: otherwise(
    number({ above: 0 }),
    0.01,
    "exponent of the gaps between queries: 1 is uniform, near 0 most come early",
  ),
  noise: otherwise(truth, false, "whether random ids fill the space between queries"),
};

export const dataTable = {
  text: someOr(
    ["generate", "csv"],
    text("corpus/**/*.txt"),
    "files to read: a path, a pattern, or `npm:` and a package's name; several add up",
  ),
  tokenizer: otherwise(
    either(word({ bytes: "every byte is a token: 256 ids" }), text("tokenizer.json")),
    "bytes",
    "how text becomes tokens: `bytes`, or the path of a tokenizer.json",
  ),
  seq: requiredOr(["csv"], count, "tokens in one sequence"),
  pack: optional(
    word({ documents: "states, convolutions and attention start afresh at each document" }),
    "how documents share a sequence; without it, all text is one document",
  ),
  held_out: optional(
    number({ from: 0 }),
    "what is kept to measure on: a share of the text below 1, 0.05 unless given; of a generated task, rows, 512 unless given",
  ),
  generate: optional(
    variant({
      mqar: { doc: "multi-query associative recall (Arora et al., 2023)", options: mqarOptions },
    }),
    "a task made from the seed",
  ),
  csv: optional(
    text("series.csv"),
    "a series, one row a point in time: a path, or `npm:`, a package's name and a path in it",
  ),
  columns: optional(
    titles,
    "the channels of a series; all columns of numbers unless given, so that a column of times is left out",
  ),
  split: otherwise(
    two(number({ above: 0, below: 1 })),
    [0.7, 0.1],
    "shares of a series to learn from and to choose by, in the order of time; what is left is the test",
  ),
};

export type DataSettings = Values<typeof dataTable>;
