/** One step of Muon on variables, as nodes of TensorFlow's graph (formulas: ../../muon.ts). */

import { muonEpsilon, muonScale, newtonSchulz } from "../../../../compiler/ir/muon.js";
import { spellingOf } from "../../muon.js";
import type { MuonOf } from "../../train/settings.js";
import type { Binding } from "./binding.js";
import type { GraphDef, Input } from "./graph-def.js";
import type { Variable } from "./variables.js";

/** What the step reads beside the variables. */
export interface MuonInputs {
  /** After clipping. */
  readonly gradient: Input;
  readonly rate: Input;
  /** "^go": whether the step is made. */
  readonly when: Input;
}

/** Gives the nodes after which weight and momentum are new. */
export function writeMuon(
  graph: GraphDef,
  types: Binding,
  name: string,
  { axes, matrix, momentum, iterations, decay }: MuonOf,
  { weight, moment }: { readonly weight: Variable; readonly moment: Variable },
  { gradient, rate, when }: MuonInputs,
): Input[] {
  const float = graph.type("T", types.TF_FLOAT);
  const dtype = graph.type("dtype", types.TF_FLOAT);
  let count = 0;
  const node = (op: string, ...inputs: Input[]): Input =>
    graph.add(`${name}.${(count += 1)}`, op, inputs, [float]);
  const number = (value: number): Input =>
    graph.constant(`${name}.${(count += 1)}`, {
      shape: [],
      dtype: types.TF_FLOAT,
      values: [value],
    });
  const dot = (equation: string, a: Input, b: Input): Input =>
    graph.add(
      `${name}.${(count += 1)}`,
      "Einsum",
      [a, b],
      [
        float,
        { name: "N", type: types.TF_ATTR_INT, value: 2 },
        { name: "equation", type: types.TF_ATTR_STRING, value: equation },
      ],
    );
  const sum = (a: number, x: Input, b: number, y: Input): Input =>
    node("AddV2", node("Mul", x, number(a)), b === 1 ? y : node("Mul", y, number(b)));

  const { all, batch, mirrored, square, left, right } = spellingOf(axes, matrix);
  const [a, b, c] = newtonSchulz;
  const newM = sum(momentum, moment.value, 1, gradient);
  const u = sum(momentum, newM, 1, gradient);
  const norm = node(
    "AddV2",
    node("Sqrt", dot(`${all},${all}->${batch}`, u, u)),
    number(muonEpsilon),
  );
  let X = dot(`${all},${batch}->${all}`, u, node("Reciprocal", norm));
  for (let i = 0; i < iterations; i += 1) {
    const A = dot(`${all},${mirrored}->${square}`, X, X);
    const B = sum(b, A, c, dot(`${left},${right}->${square}`, A, A));
    X = sum(a, X, 1, dot(`${square},${mirrored}->${all}`, B, X));
  }
  const move = sum(muonScale(axes, matrix), X, 1, node("Mul", weight.value, number(decay)));
  const next = node("Sub", weight.value, node("Mul", move, rate));
  graph.add(`${name}.momentum`, "AssignVariableOp", [moment.handle, newM, when], [dtype]);
  graph.add(`${name}.weight`, "AssignVariableOp", [weight.handle, next, when], [dtype]);
  return [`^${name}.momentum`, `^${name}.weight`];
}
