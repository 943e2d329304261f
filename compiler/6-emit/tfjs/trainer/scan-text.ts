/** A recurrence's loop: `const { outputs: [o_BTHV] } = scan(k, { … }, [S], [q, k, v], [], ([S], …) => { … })`. */

import type { ScanKernel, Step } from "../../../ir/program.js";
import { scanOptions } from "../scan-options.js";
import type { StatementContext } from "./statements.js";
import type { Plan } from "./plan.js";
import { literal, object } from "./text.js";

type Run = Extract<Step, { kind: "run" }>;
type Expression = (buffer: number) => string;

export function scanStatement(
  kernel: ScanKernel,
  { inputs, outputs }: Run,
  { letters, sizes }: StatementContext,
  expression: Expression,
  body: Plan,
  statements: readonly string[],
): string[] {
  const { options, split } = scanOptions(kernel, inputs, outputs, letters);
  const { states } = kernel.attributes;
  const { resets, length, axis, wanted, ...shapes } = options;
  const given = inputs.map(({ buffer }) => expression(buffer));
  const flags = resets && [
    ["letters", literal(resets.letters)] as const,
    ["flags", given[states]!] as const,
    ["restart", literal(resets.restart)] as const,
  ];
  const text = object([
    ["axis", literal(axis)],
    ["length", sizes.size(axis, length)],
    ...Object.entries(shapes).map(([name, value]) => [name, literal(value)] as const),
    ["resets", flags ? object(flags) : "null"],
    ["wanted", literal(wanted)],
  ]);
  const inside: Expression = (buffer) => body.expressions.get(buffer)!;
  const made = body.fn.outputs.map(({ buffer }) => inside(buffer));
  const results = scanResults(outputs, body.fn.outputs.length - states, states, expression);
  return [
    `const ${results} = scan(k, ${text}, ${list(given, 0, states)}, ` +
      `${list(given, split.sequences, split.statics)}, ${list(given, split.statics)}, ` +
      `(${bodyParameters(body, states, split.statics - split.sequences).join(", ")}) => {`,
    ...statements,
    `return { states: ${list(made, 0, states)}, outputs: ${list(made, states)} };`,
    "});",
  ];
}

/** States, sequences and statics as patterns; places of those that no step reads stay empty. */
function bodyParameters(
  { fn, arguments: read, expressions }: Plan,
  states: number,
  sequences: number,
): string[] {
  const used = new Set(read.map((one) => (one.kind === "tensor" ? one.input : -1)));
  const made = fn.outputs.map(({ buffer }) => buffer);
  const names = fn.inputs.map(({ buffer }, i) =>
    used.has(i) || made.includes(buffer) ? expressions.get(buffer)! : "",
  );
  const patterns = [
    list(names, 0, states),
    list(names, states, states + sequences),
    list(names, states + sequences),
  ];
  return patterns.slice(0, patterns.findLastIndex((pattern) => pattern !== "[]") + 1);
}

/** `{ outputs: [o_BTHV], finals: [, S_BHKV] }` */
function scanResults(
  outputs: Run["outputs"],
  count: number,
  states: number,
  expression: Expression,
): string {
  const names = outputs.map((output) => (output ? expression(output.buffer) : ""));
  const groups = [
    ["outputs", list(names, 0, count)],
    ["finals", list(names, count, count + states)],
    ["befores", list(names, count + states)],
  ] as const;
  return object(groups.filter(([, pattern]) => pattern !== "[]"));
}

/** A part of a list, without empty places at its end. */
function list(all: readonly string[], from: number, to?: number): string {
  const part = all.slice(from, to);
  return `[${part.slice(0, part.findLastIndex((one) => one !== "") + 1).join(", ")}]`;
}
