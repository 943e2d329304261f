/**
 * take and put. put needs no atomics, so its sums are the same every time: a few ids are looked through by
 * every element of the result; of many, the order by id is found first, and then each element adds up the
 * values between two places of that order.
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { KernelSet } from "../kernel-set.js";
import { type Sizes, common, countOf, parseSpec, shapeOf, sizesOf, without } from "../letters.js";
import { type Kernels, elementOf } from "./kernel.js";
import { offsetOf, places } from "./wgsl/index.js";
import { type Element, type Program, elementwise } from "./wgsl/shader.js";

/** Ids that every element of a put's result may look through by itself. */
const fewIds = 32;

/** The ids may have an axis of the same name as the one looked along, and another size: then it gets its own letter. */
function apart(axis: string, asked: string, others: string): string {
  if (!asked.includes(axis)) return axis;
  return [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].find((letter) => !(asked + others).includes(letter))!;
}

const index = (element: Element, text: string): string =>
  element === "i32" ? text : `i32(${text})`;

export function createLookup(kernels: Kernels): Pick<KernelSet, "take" | "put"> {
  return {
    take(spec, axis, table, ids) {
      const { operands, result } = parseSpec(spec);
      const [given, asked] = operands as [string, string];
      const own = apart(axis, asked, given + result);
      const held = given.replace(axis, own);
      const sizes = sizesOf([held, asked], [table, ids]);
      const shape = shapeOf(result, sizes);
      const key = `take ${spec} ${axis} ${table.shape.join()} ${shape.join()} ${elementOf(ids)}`;
      const program = kernels.program(key, () => {
        const sizeOf = (letter: string): number => sizes[letter]!;
        const name = (letter: string): string => (letter === own ? "row" : `at${letter}`);
        return elementwise({
          bindings: [
            { name: "table", element: "u32", access: "read" },
            { name: "ids", element: elementOf(ids), access: "read" },
            { name: "y", element: "u32", access: "write" },
          ],
          count: countOf(result, sizes),
          body: `${places("i", result, sizeOf)}
let row = u32(${index(elementOf(ids), `ids[${offsetOf(asked, sizeOf)}]`)});
y[i] = table[${offsetOf(held, sizeOf, name)}];`,
        });
      });
      return kernels.make(program, [table, ids], shape, table.dtype);
    },
    put(spec, axis, size, ids, values) {
      const parsed = parseSpec(spec);
      const [asked, given] = parsed.operands as [string, string];
      const own = apart(axis, asked, given + parsed.result);
      const result = parsed.result.replace(axis, own);
      const sizes = sizesOf([asked, given], [ids, values], { [own]: size });
      const shared = common(result, asked);
      const over = without(asked, shared);
      const plan: Put = { asked, given, result, own, shared, over, sizes, ids: elementOf(ids) };
      const shape = shapeOf(result, sizes);
      const key = `${spec} ${axis} ${ids.shape.join()} ${values.shape.join()} ${size} ${plan.ids}`;
      if (countOf(over, sizes) <= fewIds)
        return kernels.make(
          kernels.program(`put ${key}`, () => putFew(plan)),
          [ids, values],
          shape,
        );
      const order: Tensor = kernels.make(
        kernels.program(`order ${key}`, () => orderProgram(plan)),
        [ids],
        [countOf(shared + over, sizes)],
        "int32",
      );
      const sums = kernels.make(
        kernels.program(`put ${key}`, () => putMany(plan)),
        [ids, order, values],
        shape,
      );
      order.dispose();
      return sums;
    },
  };
}

interface Put {
  readonly asked: string; // letters of the ids: shared with the result, and summed over
  readonly given: string; // of the values
  readonly result: string;
  readonly own: string; // the letter that ids are places along
  readonly shared: string;
  readonly over: string;
  readonly sizes: Sizes;
  readonly ids: Element;
}

const sizeIn = (sizes: Sizes) => (letter: string) => sizes[letter]!;

function putFew({ asked, given, result, own, over, sizes, ids }: Put): Program {
  const sizeOf = sizeIn(sizes);
  return elementwise({
    bindings: [
      { name: "ids", element: ids, access: "read" },
      { name: "values", element: "f32", access: "read" },
      { name: "y", element: "f32", access: "write" },
    ],
    count: countOf(result, sizes),
    body: `${places("i", result, sizeOf)}
var total = 0f;
for (var one = 0u; one < ${countOf(over, sizes)}u; one++) {
${places("one", over, sizeOf)}
if (${index(ids, `ids[${offsetOf(asked, sizeOf)}]`)} == i32(at${own})) { total += values[${offsetOf(given, sizeOf)}]; }
}
y[i] = total;`,
  });
}

/** For every place of the shared letters, the ids' numbers in the stable order of the ids. */
function orderProgram({ asked, shared, over, sizes, ids }: Put): Program {
  const sizeOf = sizeIn(sizes);
  const count = countOf(over, sizes);
  const read = (name: string): string => `${name}(at)`;
  return elementwise({
    bindings: [
      { name: "ids", element: ids, access: "read" },
      { name: "y", element: "i32", access: "write" },
    ],
    declarations: `fn idOf(i: u32) -> i32 {
${places("i", shared + over, sizeOf)}
return ${index(ids, `ids[${offsetOf(asked, sizeOf)}]`)};
}`,
    count: countOf(shared + over, sizes),
    body: `let first = i - i % ${count}u;
let own = idOf(i);
var rank = 0u;
for (var at = first; at < i; at++) { rank += select(0u, 1u, ${read("idOf")} <= own); }
for (var at = i + 1u; at < first + ${count}u; at++) { rank += select(0u, 1u, ${read("idOf")} < own); }
y[first + rank] = i32(i - first);`,
  });
}

function putMany({ asked, given, result, own, shared, over, sizes, ids }: Put): Program {
  const sizeOf = sizeIn(sizes);
  const count = countOf(over, sizes);
  const block = [...shared].reduce(
    (text, letter) => `(${text}) * ${sizeOf(letter)}u + at${letter}`,
    "0u",
  );
  return elementwise({
    bindings: [
      { name: "ids", element: ids, access: "read" },
      { name: "order", element: "i32", access: "read" },
      { name: "values", element: "f32", access: "read" },
      { name: "y", element: "f32", access: "write" },
    ],
    count: countOf(result, sizes),
    // low: the first place whose id is not below the own one
    body: `${places("i", result, sizeOf)}
let first = (${block}) * ${count}u;
let own = i32(at${own});
var low = 0u;
var high = ${count}u;
while (low < high) {
let middle = (low + high) / 2u;
let one = u32(order[first + middle]);
${places("one", over, sizeOf)}
if (${index(ids, `ids[${offsetOf(asked, sizeOf)}]`)} < own) { low = middle + 1u; } else { high = middle; }
}
var total = 0f;
for (; low < ${count}u; low++) {
let one = u32(order[first + low]);
${places("one", over, sizeOf)}
if (${index(ids, `ids[${offsetOf(asked, sizeOf)}]`)} != own) { break; }
total += values[${offsetOf(given, sizeOf)}];
}
y[i] = total;`,
  });
}
