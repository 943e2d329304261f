/** take, put, groupedDot, groupedOuter: kernels that look ids up. */

import { floats, shuffled, smallSizes, some, whole } from "./arbitrary.js";
import type { KernelCase } from "./case.js";
import { accumulate, at, build } from "./named.js";

const take: KernelCase = {
  name: "take",
  make(next) {
    const sizes = smallSizes(next, "BTHVDK");
    const shared = some(next, "BT", 0.3);
    const asked = shuffled(next, shared + some(next, "H") + some(next, "K"));
    const rest = some(next, "D", 0.8);
    const held = shuffled(next, `V${shared}${rest}`);
    const result = next() < 0.6 ? asked + rest : shuffled(next, asked + rest);
    const ids = whole(asked, sizes, next, sizes.V!);
    const table = next() < 0.2 ? whole(held, sizes, next, 1000) : floats(held, sizes, next);
    // The axis looked along may go by a name that the ids use for one of theirs.
    const axis = asked.includes("H") && next() < 0.3 ? "H" : "V";
    const spec = `${held.replace("V", axis)},${asked}->${result}`;
    return {
      title: `${spec} along ${axis} ${JSON.stringify(sizes)}`,
      inputs: [table, ids],
      run: (k, given) => k.take(spec, axis, given[0]!, given[1]!),
      expected: [build(result, sizes, (i) => at(table, { ...i, V: at(ids, i) }), table.dtype)],
      tolerance: 0,
    };
  },
};

const put: KernelCase = {
  name: "put",
  make(next) {
    const sizes = smallSizes(next, "BTHVDK");
    const shared = some(next, "BT", 0.3);
    const over = some(next, "HK", 0.7);
    const rest = some(next, "D", 0.8);
    const asked = shuffled(next, shared + over);
    const given = next() < 0.6 ? asked + rest : shuffled(next, asked + rest);
    const result = next() < 0.6 ? `${shared}V${rest}` : shuffled(next, `${shared}V${rest}`);
    const ids = whole(asked, sizes, next, sizes.V!);
    const values = floats(given, sizes, next);
    const axis = over.includes("H") && next() < 0.3 ? "H" : "V";
    const spec = `${asked},${given}->${result.replace("V", axis)}`;
    const loop = `${asked}${rest}V`;
    return {
      title: `${spec} along ${axis} ${JSON.stringify(sizes)}`,
      inputs: [ids, values],
      run: (k, tensors) => k.put(spec, axis, sizes.V!, tensors[0]!, tensors[1]!),
      expected: [accumulate(loop, result, sizes, (i) => (at(ids, i) === i.V ? at(values, i) : 0))],
    };
  },
};

const groupedDot: KernelCase = {
  name: "groupedDot",
  make(next) {
    const sizes = smallSizes(next, "BSEDFG", 4000);
    const slots = some(next, "BS", 0.8);
    const [over, columns] = [some(next, "D", 0.9), some(next, "F", 0.9) + some(next, "G", 0.3)];
    const tidy = next() < 0.6;
    const xs = tidy ? slots + over : shuffled(next, slots + over);
    const ws = tidy ? `E${over}${columns}` : shuffled(next, `E${over}${columns}`);
    const result = tidy ? slots + columns : shuffled(next, slots + columns);
    const ids = whole(slots, sizes, next, next() < 0.3 ? 1 : sizes.E!);
    const [x, w] = [floats(xs, sizes, next), floats(ws, sizes, next)];
    const spec = `${xs},${ws},${slots}->${result}`;
    return {
      title: spec + JSON.stringify(sizes),
      inputs: [x, w, ids],
      run: (k, given) => k.groupedDot(spec, "E", given[0]!, given[1]!, given[2]!),
      expected: [
        accumulate(
          slots + over + columns,
          result,
          sizes,
          (i) => at(x, i) * at(w, { ...i, E: at(ids, i) }),
        ),
      ],
    };
  },
};

const groupedOuter: KernelCase = {
  name: "groupedOuter",
  make(next) {
    const sizes = smallSizes(next, "BSEDF", 4000);
    const slots = some(next, "BS", 0.8);
    const [left, right] = [some(next, "D", 0.9), some(next, "F", 0.9)];
    const tidy = next() < 0.6;
    const xs = tidy ? slots + left : shuffled(next, slots + left);
    const ys = tidy ? slots + right : shuffled(next, slots + right);
    const result = tidy ? `E${left}${right}` : shuffled(next, `E${left}${right}`);
    const ids = whole(slots, sizes, next, next() < 0.3 ? 1 : sizes.E!);
    const [x, y] = [floats(xs, sizes, next), floats(ys, sizes, next)];
    const spec = `${xs},${ys},${slots}->${result}`;
    const value = (i: Readonly<Record<string, number>>): number =>
      at(ids, i) === i.E ? at(x, i) * at(y, i) : 0;
    return {
      title: spec + JSON.stringify(sizes),
      inputs: [x, y, ids],
      run: (k, given) => k.groupedOuter(spec, "E", sizes.E!, given[0]!, given[1]!, given[2]!),
      expected: [accumulate(`${slots}E${left}${right}`, result, sizes, value)],
    };
  },
};

export const indexCases: readonly KernelCase[] = [take, put, groupedDot, groupedOuter];
