/**
 * The abstract syntax tree of a `.lsm` file.
 *
 * Plain readonly data. Every node carries the span it was read from; what could not be parsed is an
 * explicit `error` node, so a tree exists for any input whatever.
 */

/** A half-open range of UTF-16 offsets in one source text. */
export interface Span {
  readonly source: string; // the path given to the parser, as shown in diagnostics
  readonly start: number;
  readonly end: number;
}

export interface Identifier {
  readonly name: string;
  readonly span: Span;
}

// ── File and declarations ────────────────────────────────────────────────────────────────────────

export interface SourceFile {
  readonly kind: "file";
  readonly span: Span;
  readonly items: readonly Item[];
  /** Every `//` comment of the file in order (doc comments `///` sit on their declaration as well). */
  readonly comments: readonly Comment[];
}

export interface Comment {
  readonly text: string; // with its slashes
  readonly span: Span;
  readonly ownLine: boolean; // nothing but white space precedes it on its line
}

export type Item =
  LayerDeclaration | ModelDeclaration | BlockDeclaration | UseDeclaration | ErrorNode;

interface Declaration {
  readonly name: Identifier;
  readonly doc: string | null; // text of the `///` lines, slashes and one leading space removed
  readonly span: Span;
}

/** `layer Name(parameters) { body }` */
export interface LayerDeclaration extends Declaration {
  readonly kind: "layer";
  readonly parameters: readonly Parameter[];
  readonly body: readonly Statement[];
}

/** `model Name(parameters) { body }`; the parameter list may be left out. */
export interface ModelDeclaration extends Declaration {
  readonly kind: "model";
  readonly parameters: readonly Parameter[];
  readonly body: readonly Statement[];
}

/** `data`, `train`, `parallel` and `convert` blocks: settings, checked against a schema per kind. */
export interface BlockDeclaration extends Declaration {
  readonly kind: "data" | "train" | "parallel" | "convert";
  /** `parallel pod on h100 * 64`: device `h100`, count `64`; null for the other kinds. */
  readonly on: { readonly device: Identifier; readonly count: Expression | null } | null;
  readonly settings: readonly Setting[];
}

/** `use "layers.lsm"`: makes another file's layers visible. */
export interface UseDeclaration {
  readonly kind: "use";
  readonly path: StringLiteral;
  readonly span: Span;
}

/** `name`, `name: [axes]`, `name: kind`, `name = default`, `name: kind = default`. */
export interface Parameter {
  readonly name: Identifier;
  readonly annotation: AxesLiteral | Identifier | null; // an Identifier is a kind: layer, layers, axes, axis, int, …
  readonly default: Expression | null;
  readonly span: Span;
}

/**
 * `key`, `key value`, `key every value`, with modifiers: `sequence over cp by lasp2`,
 * `blocks over pp schedule "1f1b"`, `replace Attention with GLA`, `mesh { pp: 1, tp: 2 }`.
 */
export interface Setting {
  readonly kind: "setting";
  readonly key: Identifier;
  readonly every: boolean;
  readonly value: Expression | null; // an atom: number, string, name, call, list, pairs
  readonly modifiers: readonly Modifier[];
  readonly span: Span;
}

export interface Modifier {
  readonly word: "over" | "by" | "with" | "schedule";
  readonly value: Expression;
  readonly span: Span;
}

// ── Statements ───────────────────────────────────────────────────────────────────────────────────

export type Statement =
  LetStatement | StateStatement | WriteStatement | RouteStatement | ExpressionStatement | ErrorNode;

/** `q = …` or `q: [heads, key] = …` */
export interface LetStatement {
  readonly kind: "let";
  readonly name: Identifier;
  readonly annotation: AxesLiteral | null;
  readonly value: Expression;
  readonly span: Span;
}

/** `state S: [heads, key, value]`, optionally `= initial` (a number; zero when left out). */
export interface StateStatement {
  readonly kind: "state";
  readonly name: Identifier;
  readonly axes: AxesLiteral;
  readonly initial: Expression | null;
  readonly span: Span;
}

/** `S <- …`, optionally `at chunk(16)`. */
export interface WriteStatement {
  readonly kind: "write";
  readonly state: Identifier;
  readonly value: Expression;
  readonly at: CallExpression | null;
  readonly span: Span;
}

/** `route r = top_k(scores, k, …)` */
export interface RouteStatement {
  readonly kind: "route";
  readonly name: Identifier;
  readonly value: Expression;
  readonly span: Span;
}

export interface ExpressionStatement {
  readonly kind: "expression";
  readonly value: Expression;
  readonly span: Span;
}

// ── Expressions ──────────────────────────────────────────────────────────────────────────────────

export type Expression =
  | NumberLiteral
  | StringLiteral
  | NameExpression
  | UnaryExpression
  | BinaryExpression
  | CallExpression
  | MemberExpression
  | AxesLiteral
  | PairsLiteral
  | MixExpression
  | IfExpression
  | ParenthesizedExpression
  | ErrorNode;

/** `1`, `1e-4`, `15B`: the suffixes k M B T are powers of 1000, Ki Mi Gi powers of 1024. */
export interface NumberLiteral {
  readonly kind: "number";
  readonly value: number;
  readonly text: string;
  readonly span: Span;
}

export interface StringLiteral {
  readonly kind: "string";
  readonly value: string;
  readonly span: Span;
}

/** A name; `true`, `false` and `none` are names too. */
export interface NameExpression {
  readonly kind: "name";
  readonly name: string;
  readonly span: Span;
}

export interface UnaryExpression {
  readonly kind: "unary";
  readonly operator: "-" | "not";
  readonly operand: Expression;
  readonly span: Span;
}

export type BinaryOperator =
  "+" | "-" | "*" | "/" | "^" | "<" | "<=" | ">" | ">=" | "==" | "!=" | "and" | "or";

export interface BinaryExpression {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  readonly operatorSpan: Span;
  readonly left: Expression;
  readonly right: Expression;
  readonly span: Span;
}

export interface CallExpression {
  readonly kind: "call";
  readonly callee: NameExpression;
  readonly arguments: readonly Argument[];
  readonly span: Span;
}

export interface Argument {
  readonly name: Identifier | null; // `heads: 4`
  readonly value: Expression;
  readonly span: Span;
}

/** `S.prev` */
export interface MemberExpression {
  readonly kind: "member";
  readonly object: Expression;
  readonly property: Identifier;
  readonly span: Span;
}

/**
 * `[heads, key]`, `[..axes, taps: 4]`, and lists in general (`[L, L, L, N]`): what a bracket means
 * (axes or a list of values) follows from where it stands, which is the checker's business.
 */
export interface AxesLiteral {
  readonly kind: "axes";
  readonly entries: readonly AxisEntry[];
  readonly span: Span;
}

export interface AxisEntry {
  readonly spread: boolean; // `..axes`
  readonly value: Expression; // the axis' name as a NameExpression, or any list element
  readonly size: Expression | null; // `taps: 4`
  readonly span: Span;
}

/** `{ pp: 1, tp: 2 }` and `(0.9, 0.95)`: named or positional pairs, in settings and arguments only. */
export interface PairsLiteral {
  readonly kind: "pairs";
  readonly entries: readonly Argument[];
  readonly span: Span;
}

/** `mix e in r { … }` */
export interface MixExpression {
  readonly kind: "mix";
  readonly binder: Identifier;
  readonly route: Identifier;
  readonly body: readonly Statement[];
  readonly span: Span;
}

/** `if condition { … } else { … }`: decided when the model is built; both branches may hold statements. */
export interface IfExpression {
  readonly kind: "if";
  readonly condition: Expression;
  readonly then: readonly Statement[];
  readonly else: readonly Statement[];
  readonly span: Span;
}

export interface ParenthesizedExpression {
  readonly kind: "parenthesized";
  readonly expression: Expression;
  readonly span: Span;
}

/** What could not be parsed; the parser has reported why. */
export interface ErrorNode {
  readonly kind: "error";
  readonly span: Span;
}
