/** The models of the bench, in the language, and the sizes that the peers in other hands are built from. */

export interface BenchCase {
  readonly name: string;
  readonly width: number;
  readonly blocks: number;
  readonly heads: number;
  /** Of the feed-forward layer, or of each expert. */
  readonly hidden: number;
  /** 0: a plain feed-forward layer. */
  readonly experts: number;
  readonly topK: number;
  readonly batch: number;
  readonly time: number;
}

export const vocabulary = 256;

const models = {
  "gla-1m": { width: 128, blocks: 4, heads: 4, hidden: 384, experts: 0, topK: 0, batch: 4 },
  "moe-1m": { width: 128, blocks: 4, heads: 4, hidden: 64, experts: 8, topK: 2, batch: 4 },
  "gla-10m": { width: 384, blocks: 6, heads: 6, hidden: 1024, experts: 0, topK: 0, batch: 2 },
} as const;

export const cases: readonly BenchCase[] = Object.entries(models).flatMap(([name, model]) =>
  [256, 1024].map((time) => ({ name, ...model, time })),
);

export function sourceOf({ width, blocks, heads, hidden, experts, topK }: BenchCase): string {
  const ffn =
    experts === 0
      ? `swiglu(hidden: ${hidden})`
      : `MoE(experts: ${experts}, top_k: ${topK}, hidden: ${hidden}, balance: 0, z: 0)`;
  return `model M {
  B = Block(GLA(heads: ${heads}), ${ffn})
  language_model(vocab: ${vocabulary}, width: ${width}, blocks: [B] * ${blocks})
}`;
}

/** AdamW without weight decay at a constant rate, gradients clipped to norm 1: what every peer does. */
export const optimizer = { lr: 1e-3, betas: [0.9, 0.95], epsilon: 1e-8, decay: 0 } as const;
export const clip = 1;
