/** Random recurrences in the language: gates, erases, writes, reads, rotations and micro-steps on states of random axes. */

import fc from "fast-check";

const axisNames = ["heads", "key", "value"] as const;
type AxisName = (typeof axisNames)[number];

const axes = fc.subarray([...axisNames]);
const someAxes = fc.subarray([...axisNames], { minLength: 1 });

/** Gates in (0, 1], and one that grows; often one for every element. */
const gate = fc.record({
  axes: fc.oneof(
    { weight: 3, arbitrary: axes },
    { weight: 1, arbitrary: fc.constant([...axisNames]) },
  ),
  kind: fc.constantFrom("none", "sigmoid", "exp", "complement", "constant", "product", "growing"),
});
/** What a step does: adds, takes the larger or the smaller of two, or turns an angle. */
const algebra = fc.constantFrom(
  "linear",
  "linear",
  "linear",
  "max",
  "min",
  "angle",
  "signed",
  "rotated",
);
const term = fc.record({ left: axes, right: axes, lagged: fc.boolean() });
const erase = fc.option(
  fc.record({ left: axes, right: axes, at: fc.nat(2), inside: fc.boolean() }),
  {
    freq: 2,
  },
);
const step = fc.record({ gate, erase, writes: fc.array(term, { maxLength: 2 }) });
const read = fc.record({
  query: axes,
  at: fc.nat(2),
  kind: fc.constantFrom("dot", "sum", "bonus", "old", "whole", "softmax"),
});
const state = fc.record({
  axes: someAxes,
  start: fc.constantFrom(0, 0, 0, 0.5),
  algebra,
  /** Of a maximum: whether the state is its first operand. */
  first: fc.boolean(),
  steps: fc.array(step, { minLength: 1, maxLength: 3 }),
  reads: fc.array(read, { minLength: 1, maxLength: 2 }),
  /** Of a linear one: whether a write also uses the state before this one, and the state's own value of the last token. */
  reading: fc.boolean(),
  echo: fc.boolean(),
});

/** States whose pairs a step turns, with a gate and an erase or without: complex numbers in real ones. */
const rotated = state.map((any): typeof any => ({ ...any, start: 0, algebra: "rotated" }));

/** States with a normal form, each read and erased along one axis: what the chunk form is for. */
const linear = state.map((any): typeof any => ({
  ...any,
  start: 0,
  algebra: "linear",
  reading: false,
  echo: false,
  steps: any.steps.map((each) => ({
    ...each,
    erase: each.erase && { ...each.erase, at: 0 },
  })),
  reads: any.reads.map((each) => ({
    ...each,
    at: 0,
    kind: each.kind === "whole" || each.kind === "softmax" ? "dot" : each.kind,
  })),
}));

export const recurrences = fc.record({
  sizes: fc.record({
    heads: fc.integer({ min: 1, max: 3 }),
    key: fc.integer({ min: 1, max: 3 }),
    value: fc.integer({ min: 1, max: 3 }),
  }),
  states: fc.oneof(
    { weight: 3, arbitrary: fc.array(linear, { minLength: 1, maxLength: 2 }) },
    { weight: 1, arbitrary: fc.array(state, { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.array(rotated, { minLength: 1, maxLength: 2 }) },
  ),
});

type Spec = typeof recurrences extends fc.Arbitrary<infer T> ? T : never;
type State = Spec["states"][number];

class Writer {
  readonly lines: string[] = [];
  private count = 0;

  name(value: string): string {
    this.count += 1;
    this.lines.push(`v${this.count} = ${value}`);
    return `v${this.count}`;
  }

  /** A value of every token with these axes. */
  value(own: readonly string[]): string {
    return own.length === 0
      ? this.name("mean(linear(x, [width]))")
      : this.name(`linear(x, [${own.join(", ")}])`);
  }

  gate({ kind, axes: own }: State["steps"][number]["gate"], within: readonly string[]): string {
    const kept = own.filter((axis) => within.includes(axis));
    switch (kind) {
      case "sigmoid":
        return this.name(`sigmoid(${this.value(kept)})`);
      case "exp":
        return this.name(`exp(-softplus(${this.value(kept)}))`);
      case "complement":
        return this.name(`1 - sigmoid(${this.value(kept)}) ^ 2`);
      case "product":
        return this.name(`sigmoid(${this.value(kept)}) * (0.5 + 0.5 * sigmoid(${this.value([])}))`);
      case "growing":
        return this.name(`exp(0.3 * tanh(${this.value(kept)}))`);
      case "constant":
        return kept.length === 0 ? "0.9" : this.name(`1 - 2 ^ (-1 - iota(${kept[0]!}))`);
      default:
        return "";
    }
  }

  step(S: string, own: readonly AxisName[], { gate, erase, writes }: State["steps"][number]): void {
    const inside = (list: readonly AxisName[]): string[] =>
      list.filter((axis) => own.includes(axis));
    const decay = this.gate(gate, own);
    const terms: string[] = [];
    let kept = S;
    if (erase) {
      const over = own[erase.at % own.length]!;
      const left = this.name(`0.5 * tanh(${this.value(inside(erase.left))})`);
      const right = this.name(
        `0.5 * tanh(${this.value(inside([...new Set([...erase.right, over])]))})`,
      );
      const erased = `${left} * dot(${right}, ${S}, ${over})`;
      if (erase.inside) kept = `(${S} - ${erased})`;
      else terms.push(`- ${erased}`);
    }
    for (const { left, right, lagged } of writes) {
      const k = this.value(inside(left));
      terms.push(`+ ${lagged ? `prev(${k})` : k} * ${this.value(inside(right))}`);
    }
    this.lines.push(`${S} <- ${decay === "" ? "" : `${decay} * `}${[kept, ...terms].join(" ")}`);
  }

  /** max(S + v, w), or the angle S turned by v; a gate that may be negative. */
  other(S: string, own: readonly AxisName[], { algebra: kind, first }: State): void {
    const [v, w] = [this.value(own.slice(1)), this.value([...own])];
    const moved = `${S} + ${v}`;
    const right = {
      max: `max(${first ? `${moved}, ${w}` : `${w}, ${moved}`})`,
      min: `min(${first ? `${moved}, ${w}` : `${w}, ${moved}`})`,
      angle: `mod(${S} + 2 * ${w}, 6.283185307179586)`,
      signed: `tanh(${v}) * ${S} + ${w}`,
      linear: "",
      rotated: "",
    }[kind];
    this.lines.push(`${S} <- ${right}`);
  }

  /** A decay times a rotation of the pairs along `turned`, what is written, and perhaps an erase. */
  rotated(S: string, own: readonly string[], { steps, first }: State): void {
    const { gate: of, erase } = steps[0]!;
    const others = own.filter((axis) => axis !== "turned");
    const decay = this.gate(of, others);
    const angle = this.value(first ? ["pairs"] : [...others, "pairs"]);
    const turned = `rotate(${decay === "" ? S : `${decay} * ${S}`}, 2 * ${angle}, over: turned)`;
    const k = this.name(`0.5 * tanh(${this.value(["turned"])})`);
    this.lines.push(`${S} <- ${turned} + ${k} * ${this.value(others)}`);
    if (erase) this.lines.push(`${S} <- ${S} - ${k} * dot(${k}, ${S}, turned)`);
  }

  read(S: string, own: readonly string[], { kind, query, at }: State["reads"][number]): string {
    const over = own[at % own.length]!;
    const rest = own.filter((axis) => axis !== over);
    const q = (): string =>
      this.value([...new Set([...query.filter((axis) => own.includes(axis)), over])]);
    switch (kind) {
      case "sum":
        return this.name(`sum(${S}, ${over})`);
      case "old":
        return this.name(`dot(${q()}, ${S}.prev, ${over})`);
      case "bonus":
        return this.name(
          `dot(${q()}, ${S}.prev + ${this.value([over])} * ${this.value(rest)}, ${over})`,
        );
      case "whole":
        return this.name(`tanh(${S})`);
      case "softmax":
        return this.name(`dot(softmax(${q()}, ${over}), ${S}, ${over})`);
      default:
        return this.name(`dot(${q()}, ${S}, ${over})`);
    }
  }
}

/** The program of a specification: one layer, twice in a tiny model. */
export function programOf({ sizes, states }: Spec): string {
  const writer = new Writer();
  const results: string[] = [];
  states.forEach((spec, i) => {
    const { start, steps, reads, reading, echo } = spec;
    const S = `S${i}`;
    if (spec.algebra === "rotated") {
      const turned = [...spec.axes.filter((axis) => axis !== "key"), "turned"];
      writer.lines.push(`state ${S}: [${turned.join(", ")}]`);
      writer.rotated(S, turned, spec);
      for (const each of reads) results.push(writer.read(S, turned, each));
      return;
    }
    const own = spec.axes;
    writer.lines.push(`state ${S}: [${own.join(", ")}]${start === 0 ? "" : ` = ${start}`}`);
    if (spec.algebra !== "linear") {
      writer.other(S, own, spec);
      if (spec.algebra === "angle") {
        results.push(writer.name(`cos(${S}) + sin(${S}.prev)`));
        return;
      }
      for (const each of reads) results.push(writer.read(S, own, each));
      return;
    }
    for (const each of steps) writer.step(S, own, each);
    const before = results.at(-1);
    if (reading && before !== undefined)
      writer.lines.push(`${S} <- ${S} + 0.3 * tanh(sum(${before}))`);
    if (echo) {
      const last = writer.name(`prev(tanh(0.5 * sum(${S})))`);
      writer.lines.push(`${S} <- 0.9 * ${S} + 0.1 * ${last}`);
    }
    for (const each of reads) results.push(writer.read(S, own, each));
  });
  const given = axisNames.map((axis) => `${axis} = ${sizes[axis]}`);
  const header = [...given, `pairs = ${sizes.key}`, `turned = ${2 * sizes.key}`].join(", ");
  const result = results.map((name) => `tanh(linear(${name}, [width]))`).join(" + ");
  return `layer Own(x: [width], ${header}) {
${[...writer.lines, result].map((line) => `  ${line}`).join("\n")}
}

model Tiny {
  language_model(vocab: 5, width: 3, blocks: [Block(Own(), swiglu(hidden: 2))])
}
`;
}
