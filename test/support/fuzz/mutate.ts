/** Broken programs: tokens at random, and real programs with some of their tokens changed. */

import type { Choices } from "./random.js";

const pattern =
  /\s+|\/\/[^\n]*|"[^"\n]*"?|[A-Za-z_]\w*|[\d.]+(?:e[+-]?\d+)?\w*|<-|\.\.|[<>=!]=|[^]/g;

export const tokensOf = (text: string): string[] => text.match(pattern) ?? [];

const numbers = [
  "0",
  "1",
  "2",
  "3",
  "4",
  "5",
  "7",
  "16",
  "0.5",
  "1.5",
  "-1",
  "-0.5",
  "1e308",
  "1e309",
  "1e-308",
  "1e15",
  "9007199254740993",
  "100000",
  "1e9",
  "4Ki",
  "15B",
  "2^53",
  "2^1024",
  "0 / 0",
  "1 / 0",
  "-1 / 0",
  "none",
  "true",
  "(0 - 1) ^ 0.5",
];
const words = [
  "x",
  "q",
  "k",
  "v",
  "S",
  "width",
  "heads",
  "key",
  "value",
  "depth",
  "depths",
  "batch",
  "time",
  "slots",
  "choice",
  "chunk",
  "position",
  "source",
  "step",
  "none",
  "true",
  "false",
  "prev",
  "linear",
  "conv",
  "attend",
  "softmax",
  "rope",
  "rmsnorm",
  "l2norm",
  "silu",
  "swiglu",
  "low_rank",
  "param",
  "normal",
  "uniform",
  "iota",
  "size",
  "inner",
  "last",
  "rename",
  "slice",
  "split",
  "merge",
  "concat",
  "pick",
  "row",
  "dot",
  "sum",
  "mean",
  "max",
  "min",
  "exp",
  "log",
  "sigmoid",
  "square",
  "stop",
  "mod",
  "select",
  "top_k",
  "over_tokens",
  "causal_conv",
  "chain",
  "shared",
  "tokens",
  "targets",
  "predict",
  "language_model",
  "Block",
  "GLA",
  "MoE",
  "MoM",
  "Attention",
  "DeltaNet",
  "Own",
  "cross_entropy",
  "layer",
  "model",
  "state",
  "route",
  "mix",
  "in",
  "at",
  "if",
  "else",
  "not",
  "and",
  "or",
  "use",
  "data",
  "train",
];
const signs = [
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
  ",",
  ":",
  "=",
  "<-",
  "+",
  "-",
  "*",
  "/",
  "^",
  "<",
  ">",
  "==",
  "!=",
  ".",
  "..",
  "\n",
  '"text"',
  "..axes",
  "S.prev",
  "prev(x)",
  "at chunk(2)",
  "[heads, key]",
  "[a: 3]",
  "[a: 1e15]",
  "* 100000",
];

export const anyBytes = (choices: Choices): string =>
  choices
    .times(0, 300, () => String.fromCharCode(choices.below(choices.chance(0.1) ? 65536 : 128)))
    .join("");

const anyToken = (choices: Choices): string =>
  choices.of(choices.of([numbers, words, words, signs, signs]));

export const tokenSoup = (choices: Choices): string => {
  const body = choices.times(1, 60, () => anyToken(choices)).join(" ");
  return choices.chance(0.5)
    ? body
    : `layer Own(x: [width], heads = 2, key = 3, value = 2) {\n${body}\n}\nmodel M { language_model(vocab: 5, width: 4, blocks: [Own()]) }`;
};

/** A program with one to a few of its tokens deleted, doubled, swapped or replaced. */
export function mutated(choices: Choices, text: string): string {
  const tokens = tokensOf(text);
  const words = tokens.flatMap((token, i) => (token.trim() === "" ? [] : [i]));
  for (let count = 1 + choices.below(choices.chance(0.7) ? 2 : 6); count > 0; count -= 1) {
    const at = choices.of(words);
    const other = choices.of(words);
    const token = tokens[at] ?? "";
    switch (choices.below(8)) {
      case 0:
        tokens[at] = "";
        break;
      case 1:
        tokens[at] = `${token} ${token}`;
        break;
      case 2:
        [tokens[at], tokens[other]] = [tokens[other]!, token];
        break;
      case 3:
        tokens[at] = tokens[other]!;
        break;
      case 4:
        tokens[at] = anyToken(choices);
        break;
      default:
        tokens[at] = alike(choices, token, tokens);
        break;
    }
  }
  return tokens.join("");
}

/** Another token of the same sort: a number for a number, a name of the program for a name. */
function alike(choices: Choices, token: string, tokens: readonly string[]): string {
  if (/^\d/.test(token)) return choices.of(numbers);
  if (/^[A-Za-z_]/.test(token)) {
    const names = tokens.filter((other) => /^[A-Za-z_]/.test(other));
    return choices.chance(0.8) ? choices.of(names) : choices.of(words);
  }
  return choices.of(signs);
}
