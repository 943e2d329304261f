/**
 * Random layer bodies, well formed or nearly so: names with known axes, combined by what the language has.
 * Where `slips` allow it, an axis is wrong now and then.
 */

import type { Choices } from "./random.js";

interface Named {
  readonly name: string;
  readonly axes: readonly string[];
  readonly state?: boolean;
}

const sizes: Readonly<Record<string, number>> = { heads: 2, key: 3, value: 2, rank: 1, group: 4 };
const axisNames = Object.keys(sizes);

class BodyWriter {
  readonly lines: string[] = [];
  readonly names: Named[] = [{ name: "x", axes: ["width"] }];
  private count = 0;

  constructor(
    private readonly c: Choices,
    private readonly slips: number,
    private readonly inMix: boolean,
  ) {}

  fresh(stem: string): string {
    this.count += 1;
    return `${stem}${this.inMix ? "m" : ""}${this.count}`;
  }

  let(value: string, axes: readonly string[]): void {
    const name = this.fresh("v");
    const annotation = this.c.chance(0.1) ? `: [${axes.join(", ")}]` : "";
    this.lines.push(`${name}${annotation} = ${value}`);
    this.names.push({ name, axes });
  }

  someAxes(): string[] {
    return this.c.some(axisNames, 0.4);
  }

  any(): Named {
    return this.c.of(this.names);
  }

  axisOf(axes: readonly string[]): string | null {
    if (this.c.chance(this.slips)) return this.c.of([...axisNames, "width"]);
    return axes.length > 0 ? this.c.of(axes) : null;
  }

  /** An elementwise expression of a few operands, with the union of their axes. */
  expression(depth = 2): { text: string; axes: string[] } {
    const { c } = this;
    if (depth === 0 || c.chance(0.2)) {
      const { name, axes, state } = this.any();
      if (c.chance(0.12)) return { text: c.of(["0.5", "2", "-1", "1e-3", "0"]), axes: [] };
      const text =
        state && c.chance(0.3) ? `${name}.prev` : c.chance(0.06) ? `prev(${name})` : name;
      return { text, axes: [...axes] };
    }
    const a = this.expression(depth - 1);
    if (c.chance(0.35)) {
      const fn = c.of([
        "exp",
        "sigmoid",
        "tanh",
        "square",
        "abs",
        "softplus",
        "sin",
        "neg",
        "stop",
        "silu",
        "log_sigmoid",
      ]);
      return { text: fn === "neg" ? `-(${a.text})` : `${fn}(${a.text})`, axes: a.axes };
    }
    const b = this.expression(depth - 1);
    const axes = [...new Set([...a.axes, ...b.axes])];
    if (axes.length > 4) return a;
    if (c.chance(0.15))
      return { text: `${c.of(["max", "min", "mod"])}(${a.text}, ${b.text})`, axes };
    if (c.chance(0.05))
      return { text: `select(${a.text} > ${b.text}, ${a.text}, ${b.text})`, axes };
    return { text: `(${a.text} ${c.of(["+", "-", "*", "*", "/", "<", "^"])} ${b.text})`, axes };
  }

  reduction(): void {
    const a = this.any();
    const axis = this.axisOf(a.axes);
    if (axis === null) return;
    const rest = a.axes.filter((name) => name !== axis);
    const { c } = this;
    if (c.chance(0.5)) {
      const both = this.names.filter((other) => other.axes.includes(axis) || c.chance(this.slips));
      if (both.length === 0) return;
      const b = c.of(both);
      const axes = [...new Set([...rest, ...b.axes.filter((name) => name !== axis)])];
      if (axes.length <= 4) this.let(`dot(${a.name}, ${b.name}, ${axis})`, axes);
    } else if (c.chance(0.6)) this.let(`${c.of(["sum", "mean"])}(${a.name}, ${axis})`, rest);
    else this.let(`${c.of(["max", "min"])}(${a.name}, over: ${axis})`, rest);
  }

  shape(): void {
    const { c } = this;
    const a = this.any();
    const axis = this.axisOf(a.axes);
    if (axis === null) return;
    const calls: (() => void)[] = [
      () => {
        this.let(`softmax(${a.name}, ${axis})`, a.axes);
      },
      () => {
        this.let(`rmsnorm(${a.name}, ${axis})`, a.axes);
      },
      () => {
        this.let(`l2norm(${a.name}, ${axis})`, a.axes);
      },
      () => {
        this.let(`conv(${a.name}, ${c.of(["1", "2", "4"])})`, a.axes);
      },
      () => {
        this.let(`prev(${a.name}${c.of(["", "", ", 2", ", 5"])})`, a.axes);
      },
      () => {
        this.let(`concat(${a.name}, ${a.name}, ${axis})`, a.axes.includes(axis) ? [] : a.axes);
        this.names.pop();
      },
      () => {
        this.let(`slice(${a.name}, ${axis}, 0, 1)`, []);
        this.names.pop();
      },
      () => {
        this.let(`over_tokens(${a.name})`, a.axes);
      },
      () => {
        this.let(`position() * ${a.name}`, a.axes);
      },
    ];
    c.of(calls)();
  }

  map(): void {
    const a = this.any();
    const axes = this.someAxes();
    if (axes.length === 0) return;
    const bias = this.c.chance(0.2) ? ", bias: true" : "";
    this.let(`linear(${a.name}, [${axes.join(", ")}]${bias})`, axes);
  }

  parameter(): void {
    const axes = this.someAxes();
    this.let(
      `param([${axes.join(", ")}], ${this.c.of(["0", "1", "normal(0.5)", "uniform(0, 1)", "log_uniform(1, 16)"])})`,
      axes,
    );
  }

  attention(): void {
    const keyed = this.names.filter(({ axes }) => axes.includes("key"));
    if (keyed.length === 0) return;
    const [q, k, v] = [this.c.of(keyed), this.c.of(keyed), this.any()];
    const axes = [...new Set([...q.axes.filter((name) => name !== "key"), ...v.axes])];
    const window = this.c.chance(0.3) ? ", window: 2" : "";
    if (axes.length <= 3)
      this.let(`attend(${q.name}, ${k.name}, ${v.name}, over: key${window})`, axes);
  }

  state(): void {
    const { c } = this;
    const axes = this.someAxes();
    const name = this.fresh("S");
    const start = c.chance(0.15) ? ` = ${c.of(["-1", "1", "0.5"])}` : "";
    this.lines.push(`state ${name}: [${axes.join(", ")}]${start}`);
    const made: Named = { name, axes, state: true };
    this.names.push(made);
    if (c.chance(0.9)) this.step(made);
    if (c.chance(0.2)) this.step(made);
  }

  step({ name, axes }: Named): void {
    const { c } = this;
    const within = this.names.filter(
      (other) =>
        other.name !== name &&
        (c.chance(this.slips) || other.axes.every((axis) => axes.includes(axis))),
    );
    const factor = (): string => (within.length === 0 || c.chance(0.2) ? "0.5" : c.of(within).name);
    const terms = [
      `${c.of(["", "sigmoid", "exp", "tanh"])}(${factor()}) * ${name}`,
      `${factor()} * ${factor()}`,
      ...axes.map(
        (axis) =>
          `${factor()} * dot(${this.c.of(within.filter((w) => w.axes.includes(axis)).concat({ name, axes })).name}, ${name}, ${axis})`,
      ),
      name,
      `prev(${factor()})`,
      `${name}.prev * 0.5`,
    ];
    const chosen = [c.chance(0.8) ? terms[0]! : name, ...c.some(terms, 0.3)];
    this.lines.push(`${name} <- ${chosen.join(" + ")}${c.chance(0.05) ? " at chunk(2)" : ""}`);
  }

  mix(): void {
    const { c } = this;
    const experts = this.fresh("e");
    const route = this.fresh("r");
    const score = c.of(["softmax", "sigmoid"]);
    const options = c.some(
      ["normalise: true", "balance: 0.1", "z: 0.1", "bias: 0.01", "scale: 2"],
      0.3,
    );
    this.lines.push(
      `route ${route} = top_k(${score}(linear(x, [${experts}: 3])), ${c.of(["1", "2", "3"])}${options.map((o) => `, ${o}`).join("")})`,
    );
    const inner = new BodyWriter(c, this.slips, true);
    inner.names.push(...this.names.filter(({ state }) => !state || c.chance(this.slips)));
    inner.statements(1 + c.below(3));
    const result = inner.any();
    const name = this.fresh("v");
    this.lines.push(
      `${name} = mix e in ${route} {`,
      ...inner.lines.map((line) => `  ${line}`),
      `  ${result.name}`,
      "}",
    );
    this.names.push({ name, axes: result.axes });
  }

  branch(): void {
    const a = this.expression(1);
    this.lines.push(
      `${this.fresh("v")} = if ${this.c.of(["heads > 1", "none == none", "key < 0", "true"])} { ${a.text} } else { ${a.text} }`,
    );
  }

  statements(count: number): void {
    const { c } = this;
    for (let i = 0; i < count; i += 1) {
      const kinds: (() => void)[] = [
        () => {
          this.map();
        },
        () => {
          this.map();
        },
        () => {
          this.reduction();
        },
        () => {
          this.shape();
        },
        () => {
          this.parameter();
        },
        () => {
          this.state();
        },
        () => {
          this.state();
        },
        () => {
          this.attention();
        },
        () => {
          this.branch();
        },
        () => {
          const { text, axes } = this.expression();
          this.let(text, axes);
        },
        () => {
          const { text, axes } = this.expression();
          this.let(text, axes);
        },
        () => {
          if (!this.inMix || c.chance(this.slips)) this.mix();
        },
      ];
      c.of(kinds)();
    }
  }
}

/** A program with one layer of random statements and a tiny model of it. */
export function randomBody(c: Choices): string {
  const slips = c.chance(0.5) ? 0 : 0.05;
  const writer = new BodyWriter(c, slips, false);
  writer.statements(2 + c.below(9));
  const results = c.times(1, 3, () => `linear(${writer.any().name}, [width])`);
  const header = axisNames.map((name) => `${name} = ${sizes[name]!}`).join(", ");
  const ends = c.chance(0.7) ? results.join(" + ") : `x * sum(${writer.any().name})`;
  return `layer Own(x: [width], ${header}) {
${[...writer.lines, ends].map((line) => `  ${line}`).join("\n")}
}

model Tiny {
  language_model(vocab: 5, width: 4, blocks: [${c.of(["Own()", "Own()", "Own(), Own()", "Block(Own(), Own())"])}])
}
`;
}
