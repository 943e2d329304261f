/** Emitted functions: a block's forward, backward and evaluation, and the model's own. */

import { type FunctionDeclarationStructure, StructureKind } from "ts-morph";
import type { BufferId } from "../../../ir/program.js";
import type { Plan } from "./plan.js";
import type { Result } from "./results.js";
import { type StatementContext, Statements } from "./statements.js";
import { documentation, entry, literal, member, object } from "./text.js";

type Parameters = { readonly name: string; readonly type: string }[];

/** Functions this short need no headers. */
const longFunction = 12;

/** One function of a block, under its documentation. */
export function blockFunction(
  plan: Plan,
  about: readonly string[],
  context: StatementContext,
): (string | FunctionDeclarationStructure)[] {
  const statements = new Statements(plan, context);
  const parameters: Parameters = [
    { name: "k", type: "KernelSet" },
    ...(plan.usesWeights ? [{ name: "w", type: plan.weights }] : []),
    ...plan.arguments.map((argument) =>
      argument.kind === "tensor"
        ? { name: argument.name, type: "Tensor" }
        : { name: "saved", type: argument.type },
    ),
  ];
  const isLong = plan.fn.steps.length > longFunction;
  const body = statements.write(isLong);
  return [
    {
      kind: StructureKind.Function,
      leadingTrivia: `${documentation(about)}\n`,
      name: plan.name,
      parameters,
      statements: [...body, `return ${blockResult(plan)};`],
    },
  ];
}

/** The object a block's function gives: its fields in the order of their first use. */
function blockResult({ results, expressions }: Plan): string {
  const own = ({ buffer }: Result): string => expressions.get(buffer)!;
  const groups = new Map<string, [string, string][]>();
  const fields: [string, string][] = [];
  for (const result of results) {
    const [field, inner] = result.path;
    if (field === undefined) return own(result);
    if (inner === undefined) fields.push([field, own(result)]);
    else groups.set(field, [...(groups.get(field) ?? []), [inner, own(result)]]);
  }
  return object([...fields, ...[...groups].map(([name, list]) => [name, object(list)] as const)]);
}

const inputsOfBatch = ["tokens", "targets", "series", "future", "weights", "positions"];

/** What one of the model's functions does and gives. */
export interface MainFunction {
  readonly name: "gradients" | "evaluate";
  readonly about: string;
  readonly resultType: string;
  readonly batchType: "BatchTensors" | "WindowTensors";
  /** The object to return, from the expressions of the program's outputs. */
  readonly result: (output: (name: string) => string) => readonly (readonly [string, string])[];
  /** Outputs of the program that are returned; the others are freed. */
  readonly wanted: (name: string) => boolean;
}

export function mainFunction(
  plan: Plan,
  context: StatementContext,
  { name, about, resultType, batchType, result, wanted }: MainFunction,
): (string | FunctionDeclarationStructure)[] {
  const { fn } = plan;
  const statements = new Statements(plan, context);
  const outputs = new Map(
    fn.outputs.map((port) => [port.name, plan.expressions.get(port.buffer)!]),
  );
  const unwanted: BufferId[] = [
    ...fn.outputs.filter((port) => !wanted(port.name)),
    ...fn.penalties,
  ].map(({ buffer }) => buffer);
  const used = new Map(
    plan.arguments.flatMap((argument) =>
      argument.kind === "tensor" ? [[fn.inputs[argument.input]!.name, argument.name] as const] : [],
    ),
  );
  const batch = inputsOfBatch.filter((input) => used.has(input));
  return [
    {
      kind: StructureKind.Function,
      leadingTrivia: `${documentation([about])}\n`,
      name,
      parameters: [
        { name: "k", type: "KernelSet" },
        { name: "weights", type: "TensorMap" },
        { name: "batch", type: batchType },
      ],
      returnType: resultType,
      statements: [
        ...(plan.usesWeights ? ["const w = nest<Weights>(weights);"] : []),
        ...(batch.length > 0
          ? [`const ${object(batch.map((input) => [input, used.get(input)!]))} = batch;`]
          : []),
        "",
        ...statements.write(true, unwanted),
        `return ${object(result((output) => outputs.get(output)!))};`,
      ],
    },
  ];
}

/** Tensors by path; those of a whole block by the one object that its call gave. */
export function byPath(
  entries: readonly (readonly [path: string, expression: string])[],
  plan: Plan,
  context: StatementContext,
  field: "weights" | "updates" | "metrics",
): string {
  const rest = new Map(entries);
  const groups = new Map<string, string>(); // by the first path of the group
  for (const [step, name] of plan.calls) {
    if (step.kind !== "call") continue;
    const own = context
      .callee(step.callee)
      .results.filter(({ path }) => path[0] === field)
      .map(({ path }) => [`${step.prefix}.${path[1]!}`, member(name, path)] as const);
    if (own.length === 0 || !own.every(([path, one]) => rest.get(path) === one)) continue;
    for (const [path] of own) rest.delete(path);
    groups.set(own[0]![0], `...under(${literal(step.prefix)}, ${name}.${field})`);
  }
  const parts = entries.flatMap(([path, expression]) => {
    const group = groups.get(path);
    if (group !== undefined) return [group];
    return rest.has(path) ? [entry([path, expression])] : [];
  });
  return parts.length === 0 ? "{}" : `{ ${parts.join(", ")} }`;
}
