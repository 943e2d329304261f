/** Every scalar function at awkward numbers, against its float64 definition, by relative error. */

import { scalarFunctions, type ScalarFunction } from "../../../compiler/ir/scalar-functions.js";
import type { KernelSet, Operand } from "../../../runtime/tfjs/kernel-set.js";
import type { Tf } from "../../../runtime/tfjs/generic/context.js";

const plain = [
  -30, -5.5, -2, -1, -0.7, -0.3, -1e-3, -1e-6, 0, 1e-6, 1e-3, 0.09, 0.25, 0.39, 0.41, 0.6, 1, 1.5,
  2, 3, 7.25, 30,
];
const positive = plain.filter((x) => x > 0);
const nearZero = plain.filter((x) => x > -0.9);

/** Where a function is not asked everywhere. Large arguments of sin and cos lose digits in any float32. */
const domains: Partial<Record<ScalarFunction, readonly number[]>> = {
  log: positive,
  log1p: nearZero,
  sqrt: [0, ...positive],
  rsqrt: positive,
  reciprocal: plain.filter((x) => x !== 0),
  sigmoid: [...plain, -80, 80, -200, 200],
  softplus: [...plain, -80, 80, -200, 200],
  tanh: [...plain, -80, 80],
  exp: [...plain, -200],
  expm1: [...plain, -200],
};

const pairs = (left: readonly number[], right: readonly number[]): [number, number][] =>
  left.flatMap((a) => right.map((b): [number, number] => [a, b]));
const few = [-3, -1.5, -1, 0, 0.5, 1, 2, 3];
const notZero = few.filter((x) => x !== 0);

function argumentsOf(name: ScalarFunction): number[][] {
  const { arity } = scalarFunctions[name];
  if (arity === 1) return (domains[name] ?? plain).map((x) => [x]);
  if (arity === 3) return pairs(few, few).map(([c, a]) => [c, a, a - 1]);
  if (name === "div" || name === "mod") return pairs(few, notZero);
  if (name === "pow")
    return [
      ...pairs(
        positive.filter((x) => x < 4),
        few,
      ),
      ...pairs(notZero, [0, 1, 2, 3, -1]),
    ];
  return pairs(few, few);
}

/** Faults, as text; none when all is well. */
export async function scalarFaults(
  tf: Tf,
  kernels: KernelSet,
  tolerance: number,
): Promise<string[]> {
  const faults: string[] = [];
  for (const name of Object.keys(scalarFunctions) as ScalarFunction[]) {
    const rows = argumentsOf(name).map((row) => row.map(Math.fround));
    const { arity, evaluate } = scalarFunctions[name];
    const inputs = Array.from({ length: arity }, (_, i) => tf.tensor1d(rows.map((row) => row[i]!)));
    const operands = inputs.map((_, index): Operand => ({ kind: "input", index }));
    const kernel = {
      inputs: inputs.map(() => "A"),
      output: "A",
      reduce: null,
      code: [{ fn: name, arguments: operands }],
    };
    const result = kernels.map(kernel, inputs, {});
    const values = await result.data();
    rows.forEach(([a = 0, b = 0, c = 0], i) => {
      const wanted = evaluate(a, b, c);
      const error = Math.abs(values[i]! - wanted);
      if (!(error <= tolerance * Math.abs(wanted) + 1e-37))
        faults.push(
          `${name}(${[a, b, c].slice(0, arity).join()}) is ${values[i]} instead of ${wanted}`,
        );
    });
    tf.dispose([result, ...inputs]);
  }
  return faults;
}
