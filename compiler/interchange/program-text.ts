/** The program of an imported model: the model, and a first training to go on with it. */

/** A layer and its arguments by name, as a program writes them; null stands for a default. */
export function layerText(
  name: string,
  options: Readonly<Record<string, number | boolean | string | null>>,
): string {
  const given = Object.entries(options).filter(([, value]) => value !== null);
  const text = (value: unknown): string =>
    typeof value === "number" ? numberText(value) : String(value);
  return `${name}(${given.map(([key, value]) => `${key}: ${text(value)}`).join(", ")})`;
}

/** `1e-5` rather than `0.00001`. */
export const numberText = (value: number): string =>
  value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : String(value);

export interface ModelText {
  /** What it was imported from, one line. */
  readonly about: string;
  /** `language_model`, or another layer of `vocab`, `width` and `blocks`. */
  readonly model: string;
  readonly vocab: number;
  readonly width: number;
  /** Further arguments, such as `tied: true`. */
  readonly options: readonly string[];
  /** A layer for each block, in order. */
  readonly blocks: readonly string[];
}

export function programText(
  { about, model, vocab, width, options, blocks }: ModelText,
  tokenizer: string,
  seq: number,
): string {
  const kinds = [...new Set(blocks)];
  const names = kinds.map((_, i) => (i < 26 ? String.fromCharCode(65 + i) : `L${i}`));
  const listed = blocks.map((block) => names[kinds.indexOf(block)]!);
  const rest = [`blocks: ${listText(listed)}`, ...options].join(", ");
  return `// ${about}

model Imported {
${kinds.map((kind, i) => `  ${names[i]!} = ${kind}`).join("\n")}
  ${model}(vocab: ${vocab}, width: ${width}, ${rest})
}

// To train it further: put texts into a folder \`text\` beside this file, then \`lsm train\` with --resume.
data texts {
  text "text/**/*.txt"
  tokenizer ${tokenizer}
  seq ${seq}
  pack documents
}

train further {
  model Imported
  data texts
  optimizer adamw(lr: 1e-4, betas: (0.9, 0.95), decay: 0.1)
  schedule cosine(warmup: 100, floor: 1e-5)
  batch 8
  steps 1000
  clip 1.0
  checkpoint every 100
  evaluate every 100
}
`;
}

/** `[A, A, B] * 4` where a list repeats itself. */
function listText(items: readonly string[]): string {
  const repeats = (period: number): boolean =>
    items.length % period === 0 && items.every((item, i) => item === items[i % period]);
  const period = items.findIndex((_, i) => repeats(i + 1)) + 1;
  const times = items.length / period;
  const list = `[${items.slice(0, period).join(", ")}]`;
  return times > 1 ? `${list} * ${times}` : list;
}
