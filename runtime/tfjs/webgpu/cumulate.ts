/**
 * cumulate: running sums and maxima. Short rows take a thread each. Long ones take a workgroup, which runs over
 * the row 256 elements at a time (Hillis and Steele, 1986) and carries the last one's value on.
 */

import type { KernelSet } from "../kernel-set.js";
import { viewAlong } from "../wasm/structure.js";
import { type Kernels, asFloat, elementOf } from "./kernel.js";
import {
  type Binding,
  type Element,
  type Program,
  elementwise,
  fromBits,
  literal,
  program,
} from "./wgsl/shader.js";

interface Row {
  readonly view: ReturnType<typeof viewAlong>;
  readonly fn: "sum" | "max";
  readonly reverse: boolean;
  readonly exclusive: boolean;
  readonly element: Element;
}

export function createCumulate(kernels: Kernels): KernelSet["cumulate"] {
  return (x, fn, axis, reverse, exclusive) => {
    const row: Row = {
      view: viewAlong(x.shape, axis),
      fn,
      reverse,
      exclusive,
      element: elementOf(x),
    };
    const { size, before, step } = row.view;
    const byThread = size <= 64 || before * step >= 16384;
    const program = kernels.program(`cumulate ${JSON.stringify(row)}`, () =>
      byThread ? shortRows(row) : longRows(row),
    );
    return kernels.make(program, [x], x.shape);
  };
}

const bindings = (element: Element): readonly Binding[] => [
  { name: "x", element, access: "read" },
  { name: "y", element: "f32", access: "write" },
];

const combine = (fn: "sum" | "max", a: string, b: string): string =>
  fn === "sum" ? `${a} + ${b}` : `select(${b}, ${a}, ${a} >= ${b})`;

const neutral = (fn: "sum" | "max"): string => (fn === "sum" ? "0f" : literal(-Infinity));

function shortRows({
  view: { before, size, step },
  fn,
  reverse,
  exclusive,
  element,
}: Row): Program {
  const at = reverse ? `${size - 1}u - t` : "t";
  return elementwise({
    bindings: bindings(element),
    declarations: fromBits,
    count: before * step,
    body: `let row = (i / ${step}u) * ${size * step}u + i % ${step}u;
var total = ${neutral(fn)};
for (var t = 0u; t < ${size}u; t++) {
let place = row + (${at}) * ${step}u;
let own = ${asFloat(element, "x[place]")};
${exclusive ? "y[place] = total;" : ""}
total = ${combine(fn, "total", "own")};
${exclusive ? "" : "y[place] = total;"}
}`,
  });
}

function longRows({ view: { before, size, step }, fn, reverse, exclusive, element }: Row): Program {
  const threads = 256;
  const strides = Array.from({ length: Math.log2(threads) }, (_, i) => 2 ** i);
  const at = reverse ? `${size - 1}u - t` : "t";
  return program({
    bindings: bindings(element),
    threads,
    blocks: before * step,
    declarations: `var<workgroup> totals: array<f32, ${threads}>;\n${fromBits}`,
    body: `let valid = block < ${before * step}u;
let row = (block / ${step}u) * ${size * step}u + block % ${step}u;
var carried = ${neutral(fn)};
for (var first = 0u; first < ${size}u; first += ${threads}u) {
let t = first + lane;
let place = row + (${at}) * ${step}u;
var own = ${neutral(fn)};
if (valid && t < ${size}u) { own = ${asFloat(element, "x[place]")}; }
totals[lane] = own;
${strides
  .map(
    (stride) => `workgroupBarrier();
{ var other = ${neutral(fn)};
if (lane >= ${stride}u) { other = totals[lane - ${stride}u]; }
workgroupBarrier();
totals[lane] = ${combine(fn, "other", "totals[lane]")}; }`,
  )
  .join("\n")}
workgroupBarrier();
var result = totals[lane];
${exclusive ? `result = ${neutral(fn)};\nif (lane > 0u) { result = totals[lane - 1u]; }` : ""}
if (valid && t < ${size}u) { y[place] = ${combine(fn, "carried", "result")}; }
carried = ${combine(fn, "carried", `totals[${threads - 1}]`)};
workgroupBarrier();
}`,
  });
}
