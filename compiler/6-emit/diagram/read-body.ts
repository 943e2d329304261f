/**
 * From what a function was built from to the flow that shows it.
 *
 * A statement is a box, with the names it reads as wires. Layers with something of their own to show
 * (a state, attention, a route, several maps) are boxes with an inside; a sum around such a layer is a
 * sign of its own, and a name in that sum is a residual that goes around the layer.
 */

import type { Expression, Statement } from "../../../grammar/ast.js";
import type { Application, Part, Step } from "../../1-check/trace.js";
import type { Graph, ValueId } from "../../ir/graph.js";
import type { Box, Line, Shape } from "./drawing.js";
import { parametersIn, stateBytes } from "./counting.js";
import { count, parameterText } from "./figures.js";
import type { FlowBuilder } from "./flow-builder.js";
import { type Meaning } from "./flow-builder.js";
import { applicationsIn, argumentOf, hasInside } from "./parts.js";
import { attendLines, routeLines, stateLines } from "./special.js";
import { holds, namesIn, passes, sameSpan, type Sources, textOf, within } from "./source-text.js";
import { axesText } from "./axes-text.js";
import { clip, wrap } from "./text-width.js";

/** What all bodies of one function share. */
export interface Reading {
  readonly graph: Graph;
  readonly sources: Sources;
  /** Family and form of each state, by the states' names. */
  readonly forms: ReadonlyMap<string, string>;
  /** The stack of blocks that a `chain` stands for, when the function has one. */
  readonly stack: ((flow: FlowBuilder) => Omit<Box, "id">) | null;
}

const formulaWidth = 172;
const codeWidth = 330;
const widestText = 230;

export class BodyReader {
  private names = new Map<string, Meaning>();
  private writing: { id: string; states: Set<string> } | null = null;

  constructor(
    private readonly reading: Reading,
    private readonly flow: FlowBuilder,
    private readonly outer: BodyReader | null = null,
  ) {}

  name(name: string, id: string): void {
    this.names.set(name, { kind: "box", id });
  }

  /** Reads statements in order; gives the box of the result, which `name` is for. */
  read(parts: readonly Part[], name = ""): string | null {
    let result: string | null = null;
    const steps = parts.filter((part): part is Step => part.kind === "step");
    for (const [i, step] of steps.entries()) result = this.readStep(step, steps, i, name) ?? result;
    return result;
  }

  private readStep(step: Step, steps: readonly Step[], at: number, name: string): string | null {
    const { statement } = step;
    switch (statement.kind) {
      case "let":
        return this.readLet(step, statement.name.name, statement.value);
      case "route":
        return this.readRoute(step, statement.name.name, statement.value);
      case "state":
        return null;
      case "write":
        return this.readWrites(steps, at);
      case "expression":
        return this.value(statement.value, step, at === steps.length - 1 ? name : "");
      case "error":
        return null;
    }
  }

  private readLet(step: Step, name: string, value: Expression): string | null {
    if (step.value === null) return null;
    const reads =
      this.inputsOf(value).length > 0 ||
      within(value).some(({ kind }) => kind === "mix" || kind === "if");
    if (!reads && !this.makesTokens(step)) {
      const { total } = parametersIn(this.reading.graph, step.parameters);
      this.names.set(name, { kind: "parameter", count: total, text: this.text(step.statement) });
      return null;
    }
    const id = this.value(value, step, name);
    if (id !== null) this.name(name, id);
    return id;
  }

  /** Whether a statement that reads no values is one all the same: `ids = tokens(vocab)`. */
  private makesTokens({ nodes }: Step): boolean {
    return this.nodesIn(nodes).some(({ op }) => op === "source" || op === "call");
  }

  private readRoute(step: Step, name: string, value: Expression): string {
    const { lines, choice } = routeLines(name, this.nodesIn(step.nodes), this.reading.graph);
    const id = this.flow.add(this.box("route", lines, step), choice);
    this.connectAll(value, id);
    this.name(name, id);
    return id;
  }

  /** Writes that follow each other are one step of the states they write. */
  private readWrites(steps: readonly Step[], at: number): string | null {
    if (at > 0 && steps[at - 1]!.statement.kind === "write") return this.writing?.id ?? null;
    const { graph, forms } = this.reading;
    let end = at;
    while (steps[end]?.statement.kind === "write") end += 1;
    const writes = steps.slice(at, end);
    const written = new Set(
      writes.flatMap(({ statement }) => (statement.kind === "write" ? [statement.state.name] : [])),
    );
    const declared = steps.filter(
      ({ statement }) => statement.kind === "state" && written.has(statement.name.name),
    );
    const infos = declared.flatMap(({ states }) => graph.states.slice(states.from, states.to));
    const size = declared.reduce((sum, { states }) => sum + stateBytes(graph, states), 0);
    const formulas = writes.flatMap(({ statement }) =>
      wrap(this.text(statement), "code", codeWidth),
    );
    const lines = stateLines(infos, size, formulas, forms);
    const id = this.flow.add(this.box("state", lines, writes[0]!), axesText(infos[0]?.axes ?? []));
    for (const { statement } of writes)
      if (statement.kind === "write") this.connectAll(statement.value, id);
    for (const name of written) this.name(name, id);
    this.writing = { id, states: written };
    return id;
  }

  /** The box of an expression's value. */
  private value(expression: Expression, step: Step, name: string): string | null {
    const big = this.bigParts(expression, step);
    if (expression.kind === "parenthesized") return this.value(expression.expression, step, name);
    if (expression.kind === "name") {
      const meaning = this.lookup(expression.name);
      return meaning?.kind === "box" ? this.flow.local(meaning.id, expression.name) : null;
    }
    if (expression.kind === "if") return this.branch(expression.span, step, name);
    if (expression.kind === "mix") return this.mix(expression, step, name);
    if (expression.kind === "binary" && big) return this.operator(expression, step);
    if (expression.kind === "call") {
      const { name: callee } = expression.callee;
      if (callee === "chain" && this.reading.stack) return this.stack(expression, step);
      if (callee === "predict") return this.predict(expression, step);
      const application = applicationsIn(step).find(({ call }) => sameSpan(call, expression.span));
      if (application && hasInside(application, this.reading.graph))
        return this.layer(application, expression, step, name);
    }
    return this.step(expression, step, name);
  }

  /** A sign between values; a side that no value is in (`* 2`) stands beside the sign. */
  private operator(expression: Extract<Expression, { kind: "binary" }>, step: Step): string {
    const { operator: sign, left, right } = expression;
    const values = [left, right].map((side) =>
      this.isValue(side) || this.bigParts(side, step) ? this.value(side, step, "") : null,
    );
    const word = (side: Expression): string => textOf(this.reading.sources, side.span);
    const text = [
      values[0] === null ? word(left) : "",
      sign,
      values[1] === null ? word(right) : "",
    ];
    const alone = values.every((value) => value !== null);
    const lines: Line[] = [{ text: text.join(" ").trim(), style: alone ? "title" : "text" }];
    const box = this.box(alone ? "operator" : "step", lines, step);
    const id = this.flow.add(box, this.axesOf(expression, step));
    values.forEach((from, i) => {
      const other = values[1 - i]!;
      if (from === null) return;
      this.flow.connect(from, id, other !== null && this.flow.leadsTo(from, other));
    });
    return id;
  }

  private bigParts(expression: Expression, step: Step): boolean {
    return within(expression).some(
      (part) =>
        part.kind === "mix" ||
        part.kind === "if" ||
        (part.kind === "call" &&
          (part.callee.name === "chain" ||
            applicationsIn(step).some(
              (application) =>
                sameSpan(application.call, part.span) && hasInside(application, this.reading.graph),
            ))),
    );
  }

  /** The statements of the branch that was taken, as if they stood here. */
  private branch(span: Expression["span"], step: Step, name: string): string | null {
    const taken = step.parts.filter(
      (part) => part.kind === "step" && holds(span, part.statement.span),
    );
    return this.read(taken, name);
  }

  private mix(
    expression: Extract<Expression, { kind: "mix" }>,
    step: Step,
    name: string,
  ): string | null {
    const inner = this.flow.inner();
    const reader = new BodyReader(this.reading, inner, this);
    const body = step.parts.filter(
      (part) => part.kind === "step" && holds(expression.span, part.statement.span),
    );
    const result = reader.read(body);
    const { graph } = this.reading;
    const node = this.nodesIn(step.nodes).find(({ op }) => op === "mix");
    const experts = node?.op === "mix" ? node.attributes.experts : null;
    const picks = node ? graph.values[node.inputs[1]!]!.type.axes[0]?.size : null;
    const title = `${picks ?? "?"} of ${experts?.size ?? "?"} ${experts?.name ?? ""}`;
    const { total, activated } = parametersIn(graph, step.parameters);
    const lines: Line[] = [
      { text: title, style: "title", beside: parameterText(total, activated) },
    ];
    const box = { ...this.box("mix", lines, step), inside: inner.finish(result) };
    const id = this.flow.add({ ...box, note: name }, this.axesOf(expression, step));
    inner.connectPorts(id);
    const route = this.lookup(expression.route.name);
    if (route?.kind === "box")
      this.flow.connect(this.flow.local(route.id, expression.route.name), id);
    return id;
  }

  private layer(
    application: Application,
    expression: Extract<Expression, { kind: "call" }>,
    step: Step,
    name: string,
  ): string {
    const given = expression.arguments.map(({ value }) => ({
      value,
      id: this.isValue(value) ? this.value(value, step, "") : null,
    }));
    const inner = this.flow.inner();
    const reader = new BodyReader(this.reading, inner, null);
    for (const { parameter, argument } of argumentOf(application.layer, expression)) {
      const from = given.find(({ value }) => value === argument)?.id;
      if (from) reader.name(parameter, from);
    }
    const result = reader.read(application.steps);
    const { graph } = this.reading;
    const { total, activated } = parametersIn(graph, application.parameters);
    const lines: Line[] = [
      {
        text: application.layer.name.name,
        style: "title",
        beside: parameterText(total, activated),
      },
    ];
    const id = this.flow.add(
      {
        ...this.box("layer", lines, step),
        inside: inner.finish(result),
        span: application.written,
        note: [name, textOf(this.reading.sources, application.written)].filter(Boolean).join(" = "),
      },
      this.axes(application.value),
    );
    inner.connectPorts(id);
    for (const { id: from } of given) if (from !== null) this.flow.connect(from, id);
    return id;
  }

  private stack(expression: Extract<Expression, { kind: "call" }>, step: Step): string {
    const first = expression.arguments[0]!.value;
    const isTable = first.kind === "call" && first.callee.name === "row";
    const from = this.value(first, step, isTable ? "embedding" : "");
    const axes = this.axes(step.value); // a chain keeps the axes of what it is given
    const id = this.flow.add(this.reading.stack!(this.flow), axes);
    if (from === null) return id;
    this.flow.describe(from, axes);
    this.flow.connect(from, id);
    return id;
  }

  /** The prediction is there already; the loss is what is new. */
  private predict(expression: Extract<Expression, { kind: "call" }>, step: Step): string | null {
    const [output, loss] = expression.arguments;
    if (output) this.value(output.value, step, "prediction");
    return loss ? this.step(loss.value, step, "loss") : null;
  }

  /** One plain box for a whole expression. */
  private step(expression: Expression, step: Step, name: string): string {
    const { graph, sources } = this.reading;
    const written = textOf(sources, expression.span);
    const way = passes(expression);
    const formula = written.length <= 26 || way === "" ? written : way;
    const special = attendLines(this.nodesIn(step.nodes), within(expression));
    const used = this.parametersOf(expression);
    const own = applicationsIn(step).filter(({ call }) => holds(expression.span, call));
    const range = own.length > 0 ? own : [];
    const total =
      range.reduce((sum, { parameters }) => sum + parametersIn(graph, parameters).total, 0) +
      used.reduce((sum, { count: more }) => sum + more, 0);
    const called = expression.kind === "call" && formula !== written ? expression.callee.name : "";
    const title = name === "" ? called : name;
    const said = formula === title ? [] : wrap(formula, "text", formulaWidth).slice(0, 3);
    const texts: Line[] = said.map((text) => ({
      text: clip(text.trim(), "text", widestText),
      style: "text",
    }));
    const heading: Line[] = title === "" ? [] : [{ text: title, style: "title" }];
    const [first, ...others] = [...heading, ...texts, ...special] as [Line, ...Line[]];
    const lines = [total > 0 ? { ...first, beside: count(total) } : first, ...others];
    const shape: Shape = special.length > 0 ? "attend" : "step";
    const box = this.box(
      shape,
      lines.length > 0 ? lines : [{ text: written, style: "text" }],
      step,
    );
    const notes = [box.note, ...used.map(({ text }) => text)].filter(Boolean).join("\n");
    const axes = name === "loss" ? "" : this.axesOf(expression, step);
    const id = this.flow.add({ ...box, span: expression.span, note: notes }, axes);
    this.connectAll(expression, id);
    return id;
  }

  private parametersOf(expression: Expression): Extract<Meaning, { kind: "parameter" }>[] {
    return namesIn(expression).flatMap((name) => {
      const meaning = this.lookup(name);
      return meaning?.kind === "parameter" ? [meaning] : [];
    });
  }

  /** The boxes that an expression reads, with the names it reads them by. */
  private inputsOf(expression: Expression): { readonly id: string; readonly name: string }[] {
    const names = within(expression).flatMap((part) =>
      part.kind === "mix" ? [part.route.name] : [],
    );
    return [...namesIn(expression), ...names].flatMap((name) => {
      const meaning = this.lookup(name);
      return meaning?.kind === "box" ? [{ id: meaning.id, name }] : [];
    });
  }

  private isValue(expression: Expression): boolean {
    return expression.kind !== "axes" && this.inputsOf(expression).length > 0;
  }

  private connectAll(expression: Expression, to: string): void {
    for (const { id, name } of this.inputsOf(expression))
      this.flow.connect(this.flow.local(id, name), to);
  }

  private lookup(name: string): Meaning | undefined {
    return this.names.get(name) ?? this.outer?.lookup(name);
  }

  private box(shape: Shape, lines: readonly Line[], step: Step): Omit<Box, "id"> {
    const { span } = step.statement;
    return { shape, lines, inside: null, span, note: this.text(step.statement) };
  }

  private text(statement: Statement): string {
    return textOf(this.reading.sources, statement.span);
  }

  /** The axes of an expression's value where the checked model has them: those of parts of formulas it has not. */
  private axesOf(expression: Expression, step: Step): string {
    const { statement, value } = step;
    const isWhole =
      (statement.kind === "let" || statement.kind === "expression") &&
      sameSpan(statement.value.span, expression.span);
    if (isWhole) return this.axes(value);
    const applied = applicationsIn(step).find(({ call }) => sameSpan(call, expression.span));
    return this.axes(applied?.value ?? null);
  }

  private axes(value: ValueId | null): string {
    if (value === null) return "";
    const { dtype, axes } = this.reading.graph.values[value]!.type;
    return dtype === "int" && axes.length === 0 ? "id" : axesText(axes);
  }

  private nodesIn({ from, to }: { readonly from: number; readonly to: number }): Graph["nodes"] {
    return this.reading.graph.nodes.slice(from, to);
  }
}
