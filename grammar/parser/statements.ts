/** The grammar of statements and of the bodies they stand in. */

import { messages } from "../../compiler/diagnostics/messages.generated.js";
import type {
  AxesLiteral, CallExpression, Expression, ExpressionStatement, LetStatement, RouteStatement, StateStatement,
  Statement, WriteStatement,
} from "../ast.js";
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
              const crowded = this.LA(0).tokenType !== t.Newline && this.LA(0).tokenType !== t.LeftBrace;
              const statement = this.SUBRULE(this.statement);
              this.ACTION(() => {
                if (crowded && statement.kind === "expression") this.checkLineOfItsOwn(statement);
                statements.push(statement);
              });
            },
          },
          { ALT: () => this.SUBRULE(this.stray, { ARGS: ["a statement", "body"] }) },
        ],
        MAX_LOOKAHEAD: 1,
        IGNORE_AMBIGUITIES: true, // `stray` takes whatever the others leave
      }),
    );
    this.CONSUME(t.RightBrace);
    return statements;
  });

  /** Several statements may share a line, but `a b` in the middle of a body is a forgotten operator. */
  private checkLineOfItsOwn({ span }: ExpressionStatement): void {
    if (this.at(t.RightBrace)) return;
    const at = this.problems.span(span.start, span.end);
    this.problems.report(messages.unexpectedToken({ expected: "an operator or a new line", found: "an expression" }), [
      { span: at, text: "" },
    ]);
  }

  /** What fits nowhere: reported, then skipped up to the end of its line. */
  readonly stray = this.RULE("stray", (what: string, rule: string) => {
    this.ACTION(() => {
      const midLine = this.LA(0).tokenType !== t.Newline && this.LA(0).tokenType !== t.LeftBrace;
      this.unexpected(midLine ? "the end of the line" : what, rule);
    });
    const first = this.CONSUME(Anything);
    this.ACTION(() => this.skipStatement(first));
  });

  readonly statement: Rule<Statement> = this.RULE("statement", () =>
    this.OR({
      DEF: [
        { GATE: () => this.atName(2), ALT: () => this.SUBRULE(this.state) },
        { GATE: () => this.atName(2), ALT: () => this.SUBRULE(this.route) },
        { GATE: () => this.at(t.Equals, 2) || this.at(t.Colon, 2), ALT: () => this.SUBRULE(this.binding) },
        { GATE: () => this.at(t.Arrow, 2), ALT: () => this.SUBRULE(this.write) },
        { ALT: () => this.SUBRULE(this.expressionStatement) },
      ],
      MAX_LOOKAHEAD: 1,
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

  protected guardedAxes(): AxesLiteral {
    return this.guard(
      () => this.SUBRULE(this.axes),
      (first) => ({ kind: "axes", entries: [], span: this.spanFrom(first) }),
    );
  }

  /** `q = …` or `q: [heads, key] = …` */
  readonly binding: Rule<LetStatement> = this.RULE("binding", () => {
    const first = this.LA(1);
    const name = this.SUBRULE(this.name);
    const annotation =
      this.OPTION(() => {
        this.CONSUME(t.Colon);
        return this.guardedAxes();
      }) ?? null;
    const value = this.guard(
      () => {
        this.CONSUME(t.Equals);
        return this.SUBRULE(this.expression);
      },
      (at) => this.errorFrom(at),
    );
    return this.ACTION<LetStatement>(() => ({ kind: "let", name, annotation, value, span: this.spanFrom(first) }));
  });

  /** `state S: [heads, key, value]`, optionally `= initial` */
  readonly state: Rule<StateStatement> = this.RULE("state", () => {
    const first = this.CONSUME(t.State);
    const name = this.SUBRULE(this.name);
    const axes = this.guard(
      () => {
        this.CONSUME(t.Colon);
        return this.SUBRULE(this.axes);
      },
      (at) => ({ kind: "axes", entries: [], span: this.spanFrom(at) }) as AxesLiteral,
    );
    const initial =
      this.OPTION(() => {
        this.CONSUME(t.Equals);
        return this.value();
      }) ?? null;
    return this.ACTION<StateStatement>(() => ({ kind: "state", name, axes, initial, span: this.spanFrom(first) }));
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
    return this.ACTION<WriteStatement>(() => ({ kind: "write", state, value, at, span: this.spanFrom(first) }));
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
    return this.ACTION<RouteStatement>(() => ({ kind: "route", name, value, span: this.spanFrom(first) }));
  });

  readonly expressionStatement: Rule<Statement> = this.RULE("expressionStatement", () => {
    const value = this.value();
    return this.ACTION<Statement>(() => {
      this.elseless.delete(value); // as a statement of its own an `if` may go without `else`
      return value.kind === "error" ? value : { kind: "expression", value, span: value.span };
    });
  });
}
