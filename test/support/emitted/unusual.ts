/** Programs that ask of the emitter what no layer of the library does. */

const names = Array.from({ length: 12 }, (_, i) => `B${i}`);

/** More different axes than there are letters: every block has four sizes of its own. */
const manyAxes = `model Wide {
${names.map((name, i) => `  ${name} = Block(swiglu(hidden: ${i + 5}), swiglu(hidden: ${i + 50}))`).join("\n")}
  language_model(vocab: 256, width: 4, blocks: [${names.join(", ")}])
}
`;

/** Blocks within blocks, some of them with one set of weights, one without any. */
const nested = `layer Inner(x: [width]) {
  routed = MoE(experts: 3, top_k: 1, hidden: 2, bias: 0.1, z: 0.1)
  chain(x, [Block(LinearAttention(heads: 1), swiglu(hidden: 3)), Block(LinearAttention(heads: 1), routed)])
}
layer Double(x: [width]) { x * 2 }
model Nested {
  A = Inner
  S = shared(Inner)
  language_model(vocab: 5, width: 4, blocks: [A, S, Double, A, S])
}
`;

export const unusual: readonly (readonly [string, string])[] = [
  ["more axes than letters", manyAxes],
  ["blocks within blocks", nested],
];
