/** The program that `lsm init` writes. It is checked in tests like every other program. */

export const starter = (
  file: string,
): string => `// A small hybrid language model: two linear recurrent layers, then one softmax attention layer,
// each followed by a mixture of experts. Change it, then:
//
//   lsm check ${file}
//   lsm summary ${file}
//   lsm train ${file}

/// A recurrent layer of your own. Inside a layer every name is one token's value, with named axes.
layer Memory(x: [width], heads = 4, key = width / heads, value = key) {
  q = linear(x, [heads, key]) * key^-0.5
  k = linear(x, [heads, key])
  v = linear(x, [heads, value])

  // How much of the past each head keeps.
  a = sigmoid(linear(x, [heads], bias: true)) ^ (1 / 16)

  // A state lives from token to token; this is one token's step. \`k * v\` is the outer product.
  state S: [heads, key, value]
  S <- a * S + k * v

  // Reading contracts the axis \`key\` and leaves [heads, value].
  o = dot(q, S, key)
  linear(rmsnorm(o, value) * silu(linear(x, [heads, value])), [width])
}

model Starter {
  L = Block(Memory(heads: 4), MoE(experts: 4, top_k: 2, hidden: 128))
  N = Block(Attention(heads: 4), MoE(experts: 4, top_k: 2, hidden: 128))
  language_model(vocab: 256, width: 128, blocks: [L, L, N])
}

data corpus {
  text "corpus/**/*.txt"

  // Bytes are 256 tokens; the path of a tokenizer.json works as well.
  tokenizer bytes

  // Tokens in one sequence. Several files share it, and states start afresh at each.
  seq 256
  pack documents
}

train first {
  model Starter
  data corpus
  optimizer adamw(lr: 1e-3, betas: (0.9, 0.95), decay: 0.1)
  schedule cosine(warmup: 50, floor: 1e-4)
  batch 8
  steps 500
  clip 1.0
  checkpoint every 100
  evaluate every 100
}
`;
