/** The grammar of expressions. Operators are read as a flat sequence and given their tree afterwards. */

import type { IToken } from "chevrotain";
import { messages } from "../../compiler/diagnostics/messages.generated.js";
import type {
  Argument,
  AxesLiteral,
  AxisEntry,
  ErrorNode,
  Expression,
  ExpressionStatement,
  Identifier,
  IfExpression,
  MixExpression,
  NameExpression,
  NumberLiteral,
  PairsLiteral,
  ParenthesizedExpression,
  Statement,
} from "../ast.js";
import { numberValue } from "../literals.js";
import { buildOperators, type OperatorToken } from "../operators.js";
import { AnyName, BinaryOperator, types as t } from "../vocabulary.js";
import { RecoveringParser, type Rule } from "./recovering.js";

const anExpression = "an expression";

export abstract class ExpressionParser extends RecoveringParser {
  abstract readonly body: Rule<Statement[]>;

  /** `if`s read without an `else`; the statement rule takes out those that may go without. */
  protected readonly elseless = new Set<Expression>();

  readonly name: Rule<Identifier> = this.RULE("name", () => {
    const token = this.CONSUME(AnyName);
    return this.ACTION<Identifier>(() => this.identifier(token));
  });

  readonly expression: Rule<Expression> = this.RULE("expression", () => {
    const parts: (OperatorToken | Expression)[] = [];
    this.prefixes(0, parts);
    parts.push(this.SUBRULE(this.postfix));
    this.MANY(() => {
      const operator = this.CONSUME(BinaryOperator);
      parts.push(operatorToken(operator, false));
      this.prefixes(1, parts);
      parts.push(this.SUBRULE1(this.postfix));
    });
    return this.ACTION(() => buildOperators(parts, this.problems));
  });

  /** The `-` and `not` before an operand; `place` tells the calls in one rule apart. */
  private prefixes(place: 0 | 1, parts: (OperatorToken | Expression)[]): void {
    this.many(1 + place, () => {
      const sign = this.or(1 + place, [
        { ALT: () => this.consume(place, t.Minus) },
        { ALT: () => this.consume(place, t.Not) },
      ]);
      parts.push(operatorToken(sign, true));
    });
  }

  /** A literal, a name or something in brackets, with its calls and `.members`. */
  readonly postfix: Rule<Expression> = this.RULE("postfix", () => {
    const first = this.LA(1);
    let result: Expression = this.OR1(this.primaries);
    this.MANY({
      GATE: () => !this.at(t.LeftParen) || this.sameLine(),
      DEF: () =>
        this.OR([
          {
            ALT: () => {
              this.CONSUME(t.Dot);
              const property = this.SUBRULE(this.name);
              this.ACTION(() => {
                result = { kind: "member", object: result, property, span: this.spanFrom(first) };
              });
            },
          },
          {
            ALT: () => {
              const args = this.SUBRULE(this.callArguments);
              this.ACTION(() => {
                result = this.call(result, args, first);
              });
            },
          },
        ]),
    });
    return result;
  });

  private call(callee: Expression, args: Argument[], first: IToken): Expression {
    const span = this.spanFrom(first);
    if (callee.kind === "name") return { kind: "call", callee, arguments: args, span };
    this.problems.report(messages.notCallable(), [{ span: callee.span, text: "" }]);
    return { kind: "error", span };
  }

  /** Made once: this is the busiest place of the grammar. Part of the rule `postfix`. */
  private readonly primaries = {
    ERR_MSG: anExpression,
    DEF: [
      { GATE: () => this.atName(2) && this.at(t.In, 3), ALT: () => this.SUBRULE(this.mix) },
      { ALT: () => this.nameExpression(this.CONSUME(AnyName)) },
      { ALT: () => this.numberLiteral(this.CONSUME(t.Number)) },
      { ALT: () => this.stringLiteral(this.CONSUME(t.String)) },
      { ALT: () => this.SUBRULE(this.axes) },
      { ALT: () => this.SUBRULE(this.parenthesized) },
      { ALT: () => this.SUBRULE(this.conditional) },
      { ALT: (): ErrorNode => ({ kind: "error", span: this.spanOf(this.CONSUME(t.Unreadable)) }) },
    ],
    IGNORE_AMBIGUITIES: true, // `mix` is a name unless the gate says otherwise
  };

  private nameExpression(token: IToken): NameExpression {
    return { kind: "name", name: token.image, span: this.spanOf(token) };
  }

  private numberLiteral(token: IToken): NumberLiteral | ErrorNode {
    const value = numberValue(token.image);
    const span = this.spanOf(token);
    return Number.isFinite(value)
      ? { kind: "number", value, text: token.image, span }
      : { kind: "error", span };
  }

  /** The elements of a list up to its closing bracket; a comma may follow the last one. */
  protected commaList(element: () => void): void {
    let first = true;
    this.MANY({
      GATE: () => first || this.LA(0).tokenType === t.Comma,
      DEF: () => {
        first = false;
        element();
        this.OPTION(() => this.CONSUME(t.Comma));
      },
    });
  }

  readonly callArguments: Rule<Argument[]> = this.RULE("callArguments", () => {
    const args: Argument[] = [];
    this.CONSUME(t.LeftParen);
    this.commaList(() => args.push(this.SUBRULE(this.argument)));
    this.CONSUME(t.RightParen);
    return args;
  });

  readonly argument: Rule<Argument> = this.RULE("argument", () => {
    const first = this.LA(1);
    let name: Identifier | null = null;
    this.OPTION({
      GATE: () => this.at(t.Colon, 2),
      DEF: () => {
        name = this.SUBRULE(this.name);
        this.CONSUME(t.Colon);
      },
    });
    const value = this.argumentValue();
    return this.ACTION<Argument>(() => ({ name, value, span: this.spanFrom(first) }));
  });

  private argumentValue(): Expression {
    return this.OR({
      ERR_MSG: anExpression,
      DEF: [{ ALT: () => this.SUBRULE(this.pairs) }, { ALT: () => this.SUBRULE(this.expression) }],
    });
  }

  /** `{ pp: 1, tp: 2 }` */
  readonly pairs: Rule<PairsLiteral> = this.RULE("pairs", () => {
    const entries: Argument[] = [];
    const first = this.CONSUME(t.LeftBrace);
    this.commaList(() => entries.push(this.SUBRULE(this.pair)));
    this.CONSUME(t.RightBrace);
    return this.ACTION<PairsLiteral>(() => ({
      kind: "pairs",
      entries,
      span: this.spanFrom(first),
    }));
  });

  readonly pair: Rule<Argument> = this.RULE("pair", () => {
    const first = this.LA(1);
    const name = this.SUBRULE(this.name);
    this.CONSUME(t.Colon);
    const value = this.argumentValue();
    return this.ACTION<Argument>(() => ({ name, value, span: this.spanFrom(first) }));
  });

  /** `(x)`, or `(0.9, 0.95)`: pairs by position. */
  readonly parenthesized: Rule<ParenthesizedExpression | PairsLiteral> = this.RULE(
    "parenthesized",
    () => {
      const values: Expression[] = [];
      const first = this.CONSUME(t.LeftParen);
      values.push(this.SUBRULE(this.expression));
      this.MANY({
        GATE: () => !this.at(t.RightParen, 2),
        DEF: () => {
          this.CONSUME(t.Comma);
          values.push(this.SUBRULE1(this.expression));
        },
      });
      this.OPTION(() => this.CONSUME1(t.Comma));
      this.CONSUME(t.RightParen);
      return this.ACTION<ParenthesizedExpression | PairsLiteral>(() => {
        const span = this.spanFrom(first);
        if (values.length === 1) return { kind: "parenthesized", expression: values[0]!, span };
        return {
          kind: "pairs",
          entries: values.map((value) => ({ name: null, value, span: value.span })),
          span,
        };
      });
    },
  );

  readonly axes: Rule<AxesLiteral> = this.RULE("axes", () => {
    const entries: AxisEntry[] = [];
    const first = this.CONSUME(t.LeftBracket);
    this.commaList(() => entries.push(this.SUBRULE(this.axisEntry)));
    this.CONSUME(t.RightBracket);
    return this.ACTION<AxesLiteral>(() => ({ kind: "axes", entries, span: this.spanFrom(first) }));
  });

  /** `heads`, `..axes`, `taps: 4`, or any element of a list. */
  readonly axisEntry: Rule<AxisEntry> = this.RULE("axisEntry", () => {
    const first = this.LA(1);
    let size: Expression | null = null;
    const spread = this.OPTION(() => this.CONSUME(t.Spread)) !== undefined;
    const value = this.SUBRULE(this.expression);
    this.OPTION1({
      GATE: () => value.kind === "name" && !spread,
      DEF: () => {
        this.CONSUME(t.Colon);
        size = this.SUBRULE1(this.expression);
      },
    });
    return this.ACTION<AxisEntry>(() => ({ spread, value, size, span: this.spanFrom(first) }));
  });

  readonly mix: Rule<MixExpression> = this.RULE("mix", () => {
    const first = this.CONSUME(t.Mix);
    const binder = this.SUBRULE(this.name);
    this.CONSUME(t.In);
    const route = this.SUBRULE1(this.name);
    const body = this.SUBRULE(this.body);
    return this.ACTION<MixExpression>(() => ({
      kind: "mix",
      binder,
      route,
      body,
      span: this.spanFrom(first),
    }));
  });

  /** `if … { … } else if … { … } else { … }`: a chain becomes nested `if`s, from its end. */
  readonly conditional: Rule<IfExpression> = this.RULE("conditional", () => {
    const branches: { first: IToken; condition: Expression; then: Statement[] }[] = [];
    const branch = (first: IToken, condition: Expression, then: Statement[]) =>
      branches.push({ first, condition, then });
    branch(this.CONSUME(t.If), this.SUBRULE(this.expression), this.SUBRULE(this.body));
    this.MANY({
      GATE: () => this.at(t.If, 2),
      DEF: () => {
        this.CONSUME(t.Else);
        branch(this.CONSUME1(t.If), this.SUBRULE1(this.expression), this.SUBRULE1(this.body));
      },
    });
    const last = this.OPTION(() => {
      this.CONSUME1(t.Else);
      return this.SUBRULE2(this.body);
    });
    return this.ACTION<IfExpression>(() => {
      let otherwise: Statement[] = last ?? [];
      let result: IfExpression | null = null;
      for (const { first, condition, then } of branches.reverse()) {
        result = { kind: "if", condition, then, else: otherwise, span: this.spanFrom(first) };
        otherwise = [statementOf(result)];
      }
      if (last === undefined) this.elseless.add(result!);
      return result!;
    });
  });
}

const operatorToken = ({ image, startOffset }: IToken, prefix: boolean): OperatorToken => ({
  image,
  startOffset,
  prefix,
});
const statementOf = (value: Expression): ExpressionStatement => ({
  kind: "expression",
  value,
  span: value.span,
});
