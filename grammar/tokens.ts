/**
 * The token table: every kind of token, how it is written, what messages call it and how editors
 * colour it. The lexer, the parser's vocabulary and the highlighting grammar are all made from it.
 *
 * Plain data on purpose: the highlighting generator reads it without loading the parser.
 */

/**
 * What a word is to the grammar. A `contextual` word is a keyword only where the grammar asks for it and
 * an ordinary name elsewhere, so that `data corpus` can stand inside `train`; a `reserved` one is never a name.
 */
export type TokenClass = "layout" | "literal" | "contextual" | "reserved" | "mark";

export interface TokenRow {
  readonly class: TokenClass;
  /** The exact text of words and marks; null where a pattern decides. */
  readonly text: string | null;
  /** What a message calls it. */
  readonly says: string;
  /** The TextMate scope, without the `.lsm` at its end; null for what is not coloured. */
  readonly scope: string | null;
  /** Stands between two operands; a line may end with it and, `-` apart, start with it. */
  readonly binary: boolean;
}

const pattern = (kind: "layout" | "literal", says: string, scope: string | null): TokenRow => ({
  class: kind,
  text: null,
  says,
  scope,
  binary: false,
});
const contextual = (text: string, scope: string): TokenRow => ({
  class: "contextual",
  text,
  says: `\`${text}\``,
  scope,
  binary: false,
});
const reserved = (text: string, scope: string, binary = false): TokenRow => ({
  class: "reserved",
  text,
  says: `\`${text}\``,
  scope,
  binary,
});
const mark = (text: string, scope: string, binary = false): TokenRow => ({
  class: "mark",
  text,
  says: `\`${text}\``,
  scope,
  binary,
});

export const tokenTable = {
  Newline: pattern("layout", "the end of the line", null),
  Identifier: pattern("literal", "a name", "variable.other"),
  Number: pattern("literal", "a number", "constant.numeric"),
  String: pattern("literal", "a string", "string.quoted.double"),
  /** A region the bracket pass gave up on and has reported; stands for any expression. */
  Unreadable: pattern("layout", "an expression", null),

  Layer: contextual("layer", "keyword.declaration"),
  Model: contextual("model", "keyword.declaration"),
  Data: contextual("data", "keyword.declaration"),
  Train: contextual("train", "keyword.declaration"),
  Parallel: contextual("parallel", "keyword.declaration"),
  Convert: contextual("convert", "keyword.declaration"),
  Use: contextual("use", "keyword.control.import"),
  State: contextual("state", "storage.type"),
  Route: contextual("route", "storage.type"),
  Mix: contextual("mix", "keyword.control"),
  In: contextual("in", "keyword.control"),
  At: contextual("at", "keyword.other"),
  On: contextual("on", "keyword.other"),
  Every: contextual("every", "keyword.other"),
  Over: contextual("over", "keyword.other"),
  By: contextual("by", "keyword.other"),
  With: contextual("with", "keyword.other"),
  Schedule: contextual("schedule", "keyword.other"),

  If: reserved("if", "keyword.control"),
  Else: reserved("else", "keyword.control"),
  Not: reserved("not", "keyword.operator.logical"),
  And: reserved("and", "keyword.operator.logical", true),
  Or: reserved("or", "keyword.operator.logical", true),

  Arrow: mark("<-", "keyword.operator.assignment"),
  LessEqual: mark("<=", "keyword.operator.comparison", true),
  GreaterEqual: mark(">=", "keyword.operator.comparison", true),
  EqualEqual: mark("==", "keyword.operator.comparison", true),
  NotEqual: mark("!=", "keyword.operator.comparison", true),
  Spread: mark("..", "keyword.operator.spread"),
  Less: mark("<", "keyword.operator.comparison", true),
  Greater: mark(">", "keyword.operator.comparison", true),
  Plus: mark("+", "keyword.operator.arithmetic", true),
  Minus: mark("-", "keyword.operator.arithmetic", true),
  Times: mark("*", "keyword.operator.arithmetic", true),
  Divide: mark("/", "keyword.operator.arithmetic", true),
  Power: mark("^", "keyword.operator.arithmetic", true),
  Equals: mark("=", "keyword.operator.assignment"),
  Dot: mark(".", "punctuation.accessor"),
  Comma: mark(",", "punctuation.separator"),
  Colon: mark(":", "punctuation.separator"),
  LeftParen: mark("(", "punctuation.section.parens.begin"),
  RightParen: mark(")", "punctuation.section.parens.end"),
  LeftBracket: mark("[", "punctuation.section.brackets.begin"),
  RightBracket: mark("]", "punctuation.section.brackets.end"),
  LeftBrace: mark("{", "punctuation.section.block.begin"),
  RightBrace: mark("}", "punctuation.section.block.end"),
} as const satisfies Record<string, TokenRow>;

export type TokenName = keyof typeof tokenTable;

export const tokenNames = Object.keys(tokenTable) as readonly TokenName[];

export const wordPattern = /[A-Za-z_][A-Za-z0-9_]*/;

/** Deliberately greedy: `12abc` and `1.2.3` are one bad number each. */
export const numberPattern =
  /[0-9][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*(?:(?<=[eE])[+-][0-9][A-Za-z0-9_]*)?/;

/** What a number's suffix multiplies by. */
export const numberSuffixes: Readonly<Record<string, number>> = {
  k: 1e3,
  M: 1e6,
  B: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

/** What may follow a backslash in a string, and what the pair means. */
export const stringEscapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  n: "\n",
  t: "\t",
};

/** The words that begin a declaration, as the user writes them. */
export const declarationWords = [
  "layer",
  "model",
  "data",
  "train",
  "parallel",
  "convert",
  "use",
] as const;
