/** The grammar of statements and of the bodies they stand in. */

import type { IToken } from "chevrotain";
import type {
  AxesLiteral,
  CallExpression,
  Expression,
  LetStatement,
  RouteStatement,
  StateStatement,
  Statement,
  WriteStatement,
} from "../ast.js";
import { reportUnexpected } from "../expected.js";
import { Anything, types as t } from "../vocabulary.js";
import { ExpressionParser } from "./expressions.js";
import type { Rule } from "./recovering.js";

export abstract class StatementParser extends ExpressionParser {
  /** `{ statements }` */
  readonly body: Rule<Statement[]> = this.RULE("body", () => {
    const statements: Statement[] = [];
    this.CONSUME(t.LeftBrace);
    this.MANY(() =>
      this.OR({
        DEF: [
          { ALT: () => this.CONSUME(t.Newline) },
          {
            ALT: () => {
              const first = this.startsLine() ? null : this.LA(1);
              const statement = this.SUBRULE(this.statement);
              this.ACTION(() => {
                if (first !== null && statement.kind === "expression") this.checkCrowded(first);
                statements.push(statement);
              });
            },
          },
          { ALT: () => this.SUBRULE(this.stray, { ARGS: ["a statement", "body"] }) },
        ],
        IGNORE_AMBIGUITIES: true, // `stray` takes whatever the others leave
      }),
    );
    this.CONSUME(t.RightBrace);
    return statements;
  });

  /** Several statements may share a line, but `a b` in the middle of a body is a forgotten operator. */
  private checkCrowded(first: IToken): void {
    if (!this.at(t.RightBrace))
      reportUnexpected("an operator or a new line", first, first, "body", this.problems);
  }

  private startsLine(): boolean {
    return this.at(t.Newline, 0) || this.at(t.LeftBrace, 0);
  }

  /** What fits nowhere: reported, then skipped up to the end of its line. */
  readonly stray = this.RULE("stray", (what: string, rule: string) => {
    this.ACTION(() =>
      this.unexpected(this.startsLine() ? what : "an operator or the end of the line", rule),
    );
    const first = this.CONSUME(Anything);
    this.ACTION(() => this.skipStatement(first));
  });

  readonly statement: Rule<Statement> = this.RULE("statement", () =>
    this.OR({
      DEF: [
        { GATE: () => this.atName(2), ALT: () => this.SUBRULE(this.state) },
        { GATE: () => this.atName(2), ALT: () => this.SUBRULE(this.route) },
        {
          GATE: () => this.at(t.Equals, 2) || this.at(t.Colon, 2),
          ALT: () => this.SUBRULE(this.binding),
        },
        { GATE: () => this.at(t.Arrow, 2), ALT: () => this.SUBRULE(this.write) },
        { ALT: () => this.SUBRULE(this.expressionStatement) },
      ],
      IGNORE_AMBIGUITIES: true, // the gates look at the second token
    }),
  );

  /** An expression that reaches to the end of its statement. */
  protected value(): Expression {
    return this.guard(
      () => this.SUBRULE(this.expression),
      (first) => this.errorFrom(first),
    );
  }

  /** `q = …` or `q: [heads, key] = …` */
  readonly binding: Rule<LetStatement> = this.RULE("binding", () => {
    const first = this.LA(1);
    const name = this.SUBRULE(this.name);
    let annotation: AxesLiteral | null = null;
    const value = this.guard<Expression>(
      () => {
        this.OPTION(() => {
          this.CONSUME(t.Colon);
          annotation = this.SUBRULE(this.axes);
        });
        this.CONSUME(t.Equals);
        return this.SUBRULE(this.expression);
      },
      (at) => this.errorFrom(at),
    );
    return this.ACTION<LetStatement>(() => ({
      kind: "let",
      name,
      annotation,
      value,
      span: this.spanFrom(first),
    }));
  });

  /** `state S: [heads, key, value]`, optionally `= initial` */
  readonly state: Rule<StateStatement> = this.RULE("state", () => {
    const first = this.CONSUME(t.State);
    const name = this.SUBRULE(this.name);
    const axes = this.guard<AxesLiteral>(
      () => {
        this.CONSUME(t.Colon);
        return this.SUBRULE(this.axes);
      },
      (at) => ({ kind: "axes", entries: [], span: this.spanFrom(at) }),
    );
    const initial =
      this.OPTION(() => {
        this.CONSUME(t.Equals);
        return this.value();
      }) ?? null;
    return this.ACTION<StateStatement>(() => ({
      kind: "state",
      name,
      axes,
      initial,
      span: this.spanFrom(first),
    }));
  });

  /** `S <- …`, optionally `at chunk(16)` */
  readonly write: Rule<WriteStatement> = this.RULE("write", () => {
    const first = this.LA(1);
    const state = this.SUBRULE(this.name);
    this.CONSUME(t.Arrow);
    const value = this.value();
    const at =
      this.OPTION({
        GATE: () => this.atName(2),
        DEF: () => {
          this.CONSUME(t.At);
          return this.SUBRULE(this.granularity);
        },
      }) ?? null;
    return this.ACTION<WriteStatement>(() => ({
      kind: "write",
      state,
      value,
      at,
      span: this.spanFrom(first),
    }));
  });

  readonly granularity: Rule<CallExpression> = this.RULE("granularity", () => {
    const first = this.LA(1);
    const callee = this.SUBRULE(this.name);
    const args = this.SUBRULE(this.callArguments);
    return this.ACTION<CallExpression>(() => ({
      kind: "call",
      callee: { kind: "name", ...callee },
      arguments: args,
      span: this.spanFrom(first),
    }));
  });

  /** `route r = …` */
  readonly route: Rule<RouteStatement> = this.RULE("route", () => {
    const first = this.CONSUME(t.Route);
    const name = this.SUBRULE(this.name);
    const value = this.guard(
      () => {
        this.CONSUME(t.Equals);
        return this.SUBRULE(this.expression);
      },
      (at) => this.errorFrom(at),
    );
    return this.ACTION<RouteStatement>(() => ({
      kind: "route",
      name,
      value,
      span: this.spanFrom(first),
    }));
  });

  readonly expressionStatement: Rule<Statement> = this.RULE("expressionStatement", () => {
    const value = this.value();
    return this.ACTION<Statement>(() => {
      this.elseless.delete(value); // as a statement of its own an `if` may go without `else`
      return value.kind === "error" ? value : { kind: "expression", value, span: value.span };
    });
  });
}
