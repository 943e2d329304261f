/** Programs for property tests: real ones from the samples, random well-formed ones, and broken ones. */

import fc from "fast-check";
import { readdirSync, readFileSync } from "node:fs";
import { parse } from "../../grammar/parse.js";
import { tokenNames, tokenTable } from "../../grammar/tokens.js";

const samples = new URL("../samples/", import.meta.url);

/** Every sample that parses without errors. */
export const realPrograms: readonly string[] = ["parse", "format"].flatMap((kind) =>
  readdirSync(new URL(`${kind}/`, samples))
    .filter((name) => !name.startsWith("error"))
    .map((name) => readFileSync(new URL(`${kind}/${name}/input.lsm`, samples), "utf8")),
);

/** What must survive formatting: the tree without its places, and the comments without theirs. */
export function withoutPlaces(text: string): unknown {
  const { file, diagnostics } = parse(text, "");
  const comments = file.comments.map((comment) => comment.text).sort();
  const plain = JSON.stringify(
    { items: file.items, comments, diagnostics },
    (key, value: unknown) => (key === "span" || key === "operatorSpan" ? undefined : value),
  );
  return JSON.parse(plain);
}

const name = fc.constantFrom(
  "x",
  "q",
  "S",
  "heads",
  "key",
  "layer",
  "state",
  "mix",
  "in",
  "at",
  "schedule",
  "a_long_name_for_wide_lines",
);
const number = fc.constantFrom("0", "1", "0.5", "1e-4", "15B", "4Ki");
const string = fc.constantFrom('""', '"a b"', '"\\"\\\\\\n"', '"ü–🜚"');
const comment = fc.constantFrom("// c", "/// d", "//", "//   spaced   ", '// { ( [ "');

/** White space: where line breaks do not matter they may come with comments. */
const gap = fc.oneof(
  { weight: 12, arbitrary: fc.constant(" ") },
  { weight: 2, arbitrary: fc.constant("\n") },
  {
    weight: 1,
    arbitrary: fc
      .tuple(comment, fc.constantFrom("\n", "\n\n", "\r\n"))
      .map(([c, end]) => ` ${c}${end}`),
  },
  { weight: 1, arbitrary: comment.map((c) => `\n\n  ${c}\n`) },
);
const lineEnd = fc.oneof(
  gap.map((g) => (g.includes("\n") ? g : "\n")),
  fc.constantFrom("\n", "\n\n\n"),
);

const several = (element: fc.Arbitrary<string>, open: string, close: string, min = 0) =>
  fc
    .tuple(
      fc.array(fc.tuple(gap, element, gap), { minLength: min, maxLength: 4 }),
      fc.boolean(),
      gap,
    )
    .map(([elements, comma, end]) => {
      const inner = elements.map(([before, text, after]) => before + text + after).join(",");
      return `${open}${inner}${comma && elements.length > 0 ? "," : ""}${end}${close}`;
    });

const operator = fc.constantFrom("+", "-", "*", "/", "^", "<=", "and", "or");

const grammar = fc.letrec<
  Record<"expression" | "operand" | "argument" | "pair" | "entry" | "body" | "statement", string>
>((tie) => ({
  expression: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("operand"),
    fc
      .tuple(
        tie("operand"),
        fc.array(fc.tuple(operator, gap, tie("operand")), { minLength: 1, maxLength: 4 }),
      )
      .map(([first, rest]) =>
        [first, ...rest.map(([sign, space, operand]) => ` ${sign}${space}${operand}`)].join(""),
      ),
    tie("operand").map((operand) => `- ${operand}`),
    tie("operand").map((operand) => `not ${operand}`),
  ),
  operand: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    name,
    number,
    string,
    name.map((n) => `${n}.prev`),
    fc.tuple(name, several(tie("argument"), "(", ")")).map(([callee, args]) => callee + args),
    several(tie("entry"), "[", "]"),
    fc.tuple(gap, tie("expression"), gap).map((parts) => `(${parts.join("")})`),
    several(tie("expression"), "(", ")", 2),
    fc
      .tuple(name, name, tie("body"))
      .map(([binder, route, body]) => `mix ${binder} in ${route} ${body}`),
    fc
      .tuple(tie("operand"), tie("body"), tie("body"), gap)
      .map(([c, a, b, g]) => `if ${c} ${a}${g}else ${b}`),
    fc
      .tuple(name, tie("body"), name, tie("body"), tie("body"))
      .map(([c, a, d, b, e]) => `if ${c} ${a} else if ${d} ${b} else ${e}`),
  ),
  argument: fc.oneof(
    tie("expression"),
    fc.tuple(name, gap, tie("expression")).map(([n, g, e]) => `${n}:${g}${e}`),
    several(tie("pair"), "{", "}"),
  ),
  pair: fc.tuple(name, tie("expression")).map(([n, e]) => `${n}: ${e}`),
  entry: fc.oneof(
    tie("expression"),
    name.map((n) => `..${n}`),
    fc.tuple(name, gap, tie("expression")).map(([n, g, e]) => `${n}:${g}${e}`),
  ),
  body: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("expression").map((e) => `{ ${e} }`),
    fc
      .tuple(gap, fc.array(fc.tuple(tie("statement"), lineEnd), { maxLength: 3 }))
      .map(([open, all]) => `{${open}${all.flat().join("")}}`),
  ),
  statement: fc.oneof(
    tie("expression"),
    fc.tuple(name, gap, tie("expression")).map(([n, g, e]) => `${n} =${g}${e}`),
    fc
      .tuple(name, several(tie("entry"), "[", "]"), tie("expression"))
      .map(([n, a, e]) => `${n}: ${a} = ${e}`),
    fc.tuple(name, several(tie("entry"), "[", "]")).map(([n, a]) => `state ${n}: ${a}`),
    fc.tuple(name, gap, tie("expression")).map(([n, g, e]) => `${n} <-${g}${e} at chunk(16)`),
    fc.tuple(name, gap, tie("expression")).map(([n, g, e]) => `route ${n} =${g}${e}`),
  ),
}));

const setting = fc.oneof(
  fc
    .tuple(name, fc.oneof(number, name, string, several(grammar.pair, "{", "}")))
    .map(([n, v]) => `${n} ${v}`),
  fc.tuple(name, number).map(([n, v]) => `${n} every ${v}`),
  fc.tuple(name, several(grammar.argument, "(", ")")).map(([n, a]) => `${n} f${a} by x`),
  name.map((n) => `${n} over x schedule y`),
);

const declaration = fc.oneof(
  fc
    .tuple(
      several(
        fc.tuple(name, number).map(([n, v]) => `${n} = ${v}`),
        "(",
        ")",
      ),
      gap,
      grammar.body,
    )
    .map(([p, g, b]) => `layer A${p}${g}${b}`),
  fc
    .tuple(fc.array(fc.tuple(setting, lineEnd), { maxLength: 3 }), gap)
    .map(([all, g]) => `train t {${g}${all.flat().join("")}}`),
  fc.array(setting, { maxLength: 4 }).map((all) => `parallel p on h100 * 8 { ${all.join(" ")} }`),
  string.map((s) => `use ${s}`),
);

/** Well-formed for the most part: a gap may still land where a line break ends a statement too early. */
export const randomProgram = fc
  .array(fc.tuple(declaration, lineEnd), { maxLength: 3 })
  .map((all) => all.flat().join(""));

const token = fc.constantFrom(
  ...tokenNames.map((kind) => tokenTable[kind].text ?? "x"),
  "\n",
  "// c\n",
  '"s"',
  '"',
  "1",
  "1e",
  ".5",
  " ",
  "\ud800",
);
const soup = fc.array(token, { maxLength: 60 }).map((tokens) => tokens.join(" "));
const bytes = fc.uint8Array({ maxLength: 200 }).map((values) => String.fromCharCode(...values));
const anyText = fc.string({ unit: "binary", maxLength: 100 });

/** A real program with a few pieces cut out, doubled or replaced by tokens. */
const mutation = fc
  .tuple(
    fc.constantFrom(...realPrograms),
    fc.array(fc.tuple(fc.nat(), fc.nat(20), token, fc.boolean()), { minLength: 1, maxLength: 4 }),
  )
  .map(([program, edits]) =>
    edits.reduce((text, [at, length, insert, double]) => {
      const start = at % (text.length + 1);
      const middle = double ? text.slice(start, start + length).repeat(2) : insert;
      return text.slice(0, start) + middle + text.slice(start + length);
    }, program),
  );

export const anyProgram = fc.oneof(mutation, soup, bytes, anyText, randomProgram);
