/**
 * A map as a shader. Without a reduction a thread makes one element of the result. With one, `lanes` threads
 * take turns along the reduced elements of one result, and add up what they have in shared memory; the threads
 * of a workgroup share `workgroup / lanes` results. Long reductions into few results are cut into parts, each
 * a result of its own, which another map adds up.
 */

import type { MapKernel } from "../../kernel-set.js";
import { without } from "../../letters.js";
import { type Axis, axesOver, collapse, countOf } from "../../wasm/strides.js";
import { helpersFor } from "../wgsl/functions.js";
import { offsetAlong, takeApart } from "../wgsl/index.js";
import {
  type Binding,
  type Element,
  type Program,
  elementwise,
  literal,
  program,
} from "../wgsl/shader.js";
import { scalarCode } from "./code.js";
import { type BoundInputs, load } from "./inputs.js";

/** How the work of a reduction is shared out. */
export interface Shares {
  readonly threads: number; // of a workgroup
  readonly lanes: number; // of them along the reduction of one result
  readonly parts: number; // that a reduction is cut into
  /** Neighbouring threads take neighbouring results, and not neighbouring elements of one reduction. */
  readonly across: boolean;
}

export interface MapPlan {
  readonly kept: readonly Axis[];
  readonly reduced: readonly Axis[];
  /** Letters whose positions the code uses: operands after the inputs. */
  readonly positions: readonly string[];
  readonly outputs: number;
  readonly terms: number; // reduced elements of one output
  readonly shares: Shares;
}

const enoughBlocks = 256; // to keep a large GPU busy

/** `cuts`: whether a reduction may be cut into parts. */
export function planMap(
  kernel: MapKernel,
  sizeOf: (letter: string) => number,
  cuts: boolean,
): MapPlan {
  const positions = positionLetters(kernel);
  const operands = [...kernel.inputs, ...positions, kernel.output];
  const all = [...kernel.inputs].sort((a, b) => b.length - a.length).join("") + positions.join("");
  const reducedLetters = without([...new Set(all)].join(""), kernel.output);
  const kept = collapse(axesOver(kernel.output, operands, sizeOf));
  const reduced = collapse(axesOver(reducedLetters, operands, sizeOf));
  const [outputs, terms] = [countOf(kept), countOf(reduced)];
  const shares = share(kernel, kept, reduced);
  const own = cuts ? shares : { ...shares, parts: 1 };
  return { kept, reduced, positions, outputs, terms, shares: own };
}

function share(kernel: MapKernel, kept: readonly Axis[], reduced: readonly Axis[]): Shares {
  const [outputs, terms] = [countOf(kept), countOf(reduced)];
  const across = !kernel.inputs.some((_, i) => reduced.at(-1)?.strides[i] === 1);
  if (terms <= 16 || (across && outputs >= 65536))
    return { threads: 64, lanes: 1, parts: 1, across };
  const threads = outputs * terms > 4096 ? 256 : 64;
  const most = across ? Math.max(threads / 32, 1) : threads;
  const few = across && outputs < 32 ? threads / 2 ** Math.ceil(Math.log2(outputs)) : most;
  const lanes = Math.min(few, threads, 2 ** Math.ceil(Math.log2(terms)));
  const blocks = Math.ceil((outputs * lanes) / threads);
  const wanted = Math.min(Math.ceil(enoughBlocks / blocks), Math.ceil(terms / (lanes * 16)));
  return { threads, lanes, parts: blocks < enoughBlocks / 2 ? Math.max(wanted, 1) : 1, across };
}

function positionLetters(kernel: MapKernel): string[] {
  const letters = kernel.code
    .flatMap(({ arguments: operands }) => operands)
    .flatMap((operand) => (operand.kind === "position" ? [operand.letter] : []));
  return [...new Set(letters)];
}

export function mapProgram(
  kernel: MapKernel,
  plan: MapPlan,
  { elements, places }: Pick<BoundInputs, "elements" | "places">,
  output: Element,
): Program {
  const { kept, reduced, positions, outputs, terms, shares } = plan;
  const operandOf = (letter: string): number => kernel.inputs.length + positions.indexOf(letter);
  const bases = [...kernel.inputs, ...positions].map(
    (_, operand) => `let base${operand} = ${offsetAlong(kept, "o", operand)};`,
  );
  const at = (operand: number): string => {
    const inner = offsetAlong(reduced, "r", operand);
    return inner === "0u" ? `base${operand}` : `base${operand} + ${inner}`;
  };
  const { lines, value } = scalarCode(
    kernel,
    (input) => load(places[input]!, elements[places[input]!.binding]!, at(input)),
    (letter) => `f32(${at(operandOf(letter))})`,
  );
  const sizesOf = (axes: readonly Axis[]): number[] => axes.map(({ size }) => size);
  const apart = `${takeApart("element", "o", sizesOf(kept))}\n${bases.join("\n")}`;
  const bindings: Binding[] = [
    ...elements.map((element, i) => ({ name: `x${i}`, element, access: "read" as const })),
    { name: "y", element: output, access: "write" },
  ];
  const stored = output === "f32" ? "total" : `${output}(total)`;
  if (reduced.length === 0 || terms === 1) {
    const body = `let element = i;
${apart}
${takeApart("0u", "r", sizesOf(reduced))}
${lines}
let total = ${value};
y[i] = ${stored};`;
    return elementwise({ bindings, count: outputs, declarations: helpersFor(body), body });
  }

  const { threads, lanes, parts, across } = shares;
  const together = threads / lanes; // results of a workgroup
  const combine = (a: string, b: string): string =>
    kernel.reduce === "max" ? `select(${b}, ${a}, ${a} >= ${b})` : `${a} + ${b}`;
  const neutral = kernel.reduce === "max" ? literal(-Infinity) : "0f";
  const length = Math.ceil(terms / parts);
  const tree = Array.from({ length: Math.log2(lanes) }, (_, i) => {
    const half = lanes / 2 ** (i + 1);
    const other = across ? `lane + ${half * together}u` : `lane + ${half}u`;
    return `workgroupBarrier();
if (along < ${half}u) { shared_[lane] = ${combine("shared_[lane]", `shared_[${other}]`)}; }`;
  });
  const body = `let along = ${across ? `lane / ${together}u` : `lane % ${lanes}u`};
let result = block * ${together}u + ${across ? `lane % ${together}u` : `lane / ${lanes}u`};
let valid = result < ${outputs * parts}u;
var total = ${neutral};
if (valid) {
let element = result % ${outputs}u;
let part = result / ${outputs}u;
${apart}
let end = min((part + 1u) * ${length}u, ${terms}u);
for (var term = part * ${length}u + along; term < end; term += ${lanes}u) {
${takeApart("term", "r", sizesOf(reduced))}
${lines}
total = ${combine("total", value)};
}
}
${
  lanes === 1
    ? `if (valid) { y[result] = ${stored}; }`
    : `shared_[lane] = total;
${tree.join("\n")}
if (valid && along == 0u) { total = shared_[lane]; y[result] = ${stored}; }`
}`;
  const shared = lanes === 1 ? "" : `var<workgroup> shared_: array<f32, ${threads}>;`;
  return program({
    bindings,
    threads,
    blocks: Math.ceil((outputs * parts) / together),
    declarations: `${shared}\n${helpersFor(body)}`,
    body,
  });
}
