/** The grammar of a file: declarations, their headers, and the settings blocks. */

import type { IToken } from "chevrotain";
import { messages } from "../../compiler/diagnostics/messages.generated.js";
import type {
  BlockDeclaration,
  Expression,
  Identifier,
  Item,
  LayerDeclaration,
  ModelDeclaration,
  Modifier,
  Parameter,
  Setting,
  Statement,
  UseDeclaration,
} from "../ast.js";
import { isDeclarationWord } from "../line-starts.js";
import type { Problems } from "../problems.js";
import { Anything, types as t, type Token } from "../vocabulary.js";
import type { Rule } from "./recovering.js";
import { StatementParser } from "./statements.js";

/** Finds the documentation of the declaration that starts at an offset. */
export type DocOf = (start: number) => string | null;

interface Header {
  readonly name: Identifier;
  readonly doc: string | null;
}

export class Parser extends StatementParser {
  private docOf: DocOf = () => null;

  constructor(validate = false) {
    super(validate);
    this.performSelfAnalysis();
  }

  /** Parses balanced tokens that end in end-of-file tokens; never throws. */
  parseFile(tokens: Token[], docOf: DocOf, problems: Problems): Item[] {
    this.problems = problems;
    this.docOf = docOf;
    this.elseless.clear();
    this.input = tokens;
    const items = this.file();
    for (const { span } of this.elseless)
      problems.report(messages.missingElse(), [{ span, text: "" }]);
    this.input = [];
    return items;
  }

  readonly file: Rule<Item[]> = this.RULE("file", () => {
    const items: Item[] = [];
    this.MANY(() =>
      this.OR({
        DEF: [
          { ALT: () => this.CONSUME(t.Newline) },
          { ALT: () => items.push(this.guardedItem()) },
          { ALT: () => items.push(this.SUBRULE(this.outside)) },
        ],
        IGNORE_AMBIGUITIES: true, // `outside` takes whatever the others leave
      }),
    );
    return items;
  });

  private guardedItem(): Item {
    return this.guard(
      () => this.SUBRULE(this.item),
      (first) => this.errorFrom(first),
      (first) => this.skipToDeclaration(first),
    );
  }

  readonly item: Rule<Item> = this.RULE("item", () =>
    this.OR([
      { ALT: () => this.SUBRULE(this.layer) },
      { ALT: () => this.SUBRULE(this.block) },
      { ALT: () => this.SUBRULE(this.use) },
    ]),
  );

  /** Whatever stands outside a declaration, up to the next one: one error node, one report. */
  readonly outside: Rule<Item> = this.RULE("outside", () => {
    const first = this.LA(1);
    this.ACTION(() => this.reportOutside());
    const consumed = this.CONSUME(Anything);
    return this.ACTION<Item>(() => {
      this.skipToDeclaration(consumed);
      return this.errorFrom(first);
    });
  });

  private reportOutside(): void {
    const second = this.LA(2).tokenType;
    const writes = second === t.Equals || second === t.Arrow || second === t.Colon;
    if (this.atName() && (writes || this.at(t.State) || this.at(t.Route))) {
      this.problems.report(messages.strayStatement(), [
        { span: this.spanOf(this.LA(1)), text: "" },
      ]);
    } else {
      this.unexpected("a declaration", "file");
    }
  }

  private skipToDeclaration(first: IToken): void {
    this.skipFrom(first, () => this.at(t.Newline) && isDeclarationWord(this.LA(2) as Token));
  }

  readonly use: Rule<UseDeclaration> = this.RULE("use", () => {
    const first = this.CONSUME(t.Use);
    const path = this.CONSUME(t.String);
    return this.ACTION<UseDeclaration>(() => ({
      kind: "use",
      path: this.stringLiteral(path),
      span: this.spanFrom(first),
    }));
  });

  readonly layer: Rule<LayerDeclaration | ModelDeclaration> = this.RULE("layer", () => {
    const word = this.OR([
      { ALT: () => this.CONSUME(t.Layer) },
      { ALT: () => this.CONSUME(t.Model) },
    ]);
    const header = this.header(word);
    const parameters = this.OPTION(() => this.SUBRULE(this.parameters)) ?? [];
    const body = this.guard<Statement[]>(
      () => this.SUBRULE(this.body),
      (first) => [this.errorFrom(first)],
      (first) => this.skipToDeclaration(first),
    );
    return this.ACTION<LayerDeclaration | ModelDeclaration>(() => {
      const kind = word.tokenType === t.Model ? "model" : "layer";
      return { kind, ...header, parameters, body, span: this.spanFrom(word) };
    });
  });

  private header(word: IToken): Header {
    const name = this.SUBRULE(this.name);
    return { name, doc: this.ACTION(() => this.docOf(word.startOffset)) };
  }

  readonly parameters: Rule<Parameter[]> = this.RULE("parameters", () => {
    const parameters: Parameter[] = [];
    this.CONSUME(t.LeftParen);
    this.guard(
      () => {
        this.commaList(() => parameters.push(this.SUBRULE(this.parameter)));
        this.CONSUME(t.RightParen);
      },
      () => undefined,
      (first) => {
        this.skipFrom(first, () => false);
        this.SKIP_TOKEN();
      },
    );
    return parameters;
  });

  /** `name`, `name: [axes]`, `name: kind`, `name = default` */
  readonly parameter: Rule<Parameter> = this.RULE("parameter", () => {
    const first = this.LA(1);
    const name = this.SUBRULE(this.name);
    let annotation: Parameter["annotation"] = null;
    let initial: Expression | null = null;
    this.guard(
      () => {
        this.OPTION(() => {
          this.CONSUME(t.Colon);
          annotation = this.OR({
            ERR_MSG: "axes or a kind",
            DEF: [{ ALT: () => this.SUBRULE(this.axes) }, { ALT: () => this.SUBRULE1(this.name) }],
          });
        });
        this.OPTION1(() => {
          this.CONSUME(t.Equals);
          initial = this.SUBRULE(this.expression);
        });
      },
      () => undefined,
      (at) => this.skipElement(at),
    );
    return this.ACTION<Parameter>(() => ({
      name,
      annotation,
      default: initial,
      span: this.spanFrom(first),
    }));
  });

  readonly block: Rule<BlockDeclaration> = this.RULE("block", () => {
    const word = this.OR([
      { ALT: () => this.CONSUME(t.Data) },
      { ALT: () => this.CONSUME(t.Train) },
      { ALT: () => this.CONSUME(t.Parallel) },
      { ALT: () => this.CONSUME(t.Convert) },
    ]);
    const header = this.header(word);
    const on =
      this.OPTION({
        GATE: () => word.tokenType === t.Parallel,
        DEF: () => this.SUBRULE(this.device),
      }) ?? null;
    const settings = this.guard<Setting[]>(
      () => this.SUBRULE(this.settings),
      () => [],
      (first) => this.skipToDeclaration(first),
    );
    return this.ACTION<BlockDeclaration>(() => {
      const kind = tokenKind(word);
      return { kind, ...header, on, settings, span: this.spanFrom(word) };
    });
  });

  /** `on h100 * 64` */
  readonly device: Rule<NonNullable<BlockDeclaration["on"]>> = this.RULE("device", () => {
    this.CONSUME(t.On);
    const device = this.SUBRULE(this.name);
    const count =
      this.OPTION(() => {
        this.CONSUME(t.Times);
        return this.SUBRULE(this.expression);
      }) ?? null;
    return this.ACTION<NonNullable<BlockDeclaration["on"]>>(() => ({ device, count }));
  });

  readonly settings: Rule<Setting[]> = this.RULE("settings", () => {
    const settings: Setting[] = [];
    this.CONSUME(t.LeftBrace);
    this.MANY(() =>
      this.OR({
        DEF: [
          { ALT: () => this.CONSUME(t.Newline) },
          { ALT: () => settings.push(this.SUBRULE(this.setting)) },
          { ALT: () => this.SUBRULE(this.stray, { ARGS: ["a setting", "settings"] }) },
        ],
        IGNORE_AMBIGUITIES: true, // `stray` takes whatever the others leave
      }),
    );
    this.CONSUME(t.RightBrace);
    return settings;
  });

  /** `key`, `key value`, `key every value`, then modifiers. */
  readonly setting: Rule<Setting> = this.RULE("setting", () => {
    const first = this.LA(1);
    const key = this.SUBRULE(this.name);
    let every = false;
    let value: Expression | null = null;
    const modifiers: Modifier[] = [];
    this.guard(
      () => {
        this.OPTION({
          GATE: () => !this.atModifier(),
          DEF: () => {
            this.OPTION1(() => {
              this.CONSUME(t.Every);
              every = true;
            });
            value = this.SUBRULE(this.atom);
          },
        });
        this.MANY({
          GATE: () => this.atModifier(),
          DEF: () => this.SUBRULE(this.modifier, { ARGS: [modifiers] }),
        });
        this.ACTION(() => {
          if (this.at(t.Newline) || this.at(t.RightBrace) || this.atName()) return;
          this.unexpected(
            value === null ? "a value" : "another setting or the end of the line",
            "settings",
          );
          value ??= this.errorFrom(this.LA(1));
          this.skipStatement(first);
        });
      },
      (at) => {
        value ??= this.errorFrom(at);
      },
    );
    return this.ACTION<Setting>(() => ({
      kind: "setting",
      key,
      every,
      value,
      modifiers,
      span: this.spanFrom(first),
    }));
  });

  private atModifier(): boolean {
    return this.at(t.Over) || this.at(t.By) || this.at(t.With);
  }

  /** `over`, `by` or `with` and its value; `schedule` only right after an `over`. */
  readonly modifier = this.RULE("modifier", (modifiers: Modifier[]) => {
    const word = this.OR([
      { ALT: () => this.CONSUME(t.Over) },
      { ALT: () => this.CONSUME(t.By) },
      { ALT: () => this.CONSUME(t.With) },
    ]);
    const value = this.SUBRULE(this.atom);
    this.ACTION(() => modifiers.push(this.modifierOf(word, value)));
    this.OPTION({
      GATE: () => word.tokenType === t.Over,
      DEF: () => {
        const schedule = this.CONSUME(t.Schedule);
        const plan = this.SUBRULE1(this.atom);
        this.ACTION(() => modifiers.push(this.modifierOf(schedule, plan)));
      },
    });
  });

  private modifierOf(word: IToken, value: Expression): Modifier {
    return { word: word.image as Modifier["word"], value, span: this.spanFrom(word) };
  }

  /** A setting's value: one item, so that several settings can share a line. */
  readonly atom: Rule<Expression> = this.RULE("atom", () =>
    this.OR({
      ERR_MSG: "a value",
      DEF: [
        {
          ALT: () => {
            const minus = this.CONSUME(t.Minus);
            const operand = this.SUBRULE(this.postfix);
            return this.ACTION(
              () =>
                ({ kind: "unary", operator: "-", operand, span: this.spanFrom(minus) }) as const,
            );
          },
        },
        { ALT: () => this.SUBRULE(this.pairs) },
        { ALT: () => this.SUBRULE1(this.postfix) },
      ],
    }),
  );
}

const kinds = { Data: "data", Train: "train", Parallel: "parallel", Convert: "convert" } as const;
const tokenKind = (word: IToken) => kinds[word.tokenType.name as keyof typeof kinds];
