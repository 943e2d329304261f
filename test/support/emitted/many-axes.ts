/** A program with more different axes than there are letters: every block has four sizes of its own. */

const names = Array.from({ length: 12 }, (_, i) => `B${i}`);

export const manyAxes = `model Wide {
${names.map((name, i) => `  ${name} = Block(swiglu(hidden: ${i + 5}), swiglu(hidden: ${i + 50}))`).join("\n")}
  language_model(vocab: 256, width: 4, blocks: [${names.join(", ")}])
}
data text { text "a.txt"  seq 3 }
train first { model Wide  data text  optimizer adamw(lr: 1e-3)  batch 1  steps 1 }
`;
