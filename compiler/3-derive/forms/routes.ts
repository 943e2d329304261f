/** What routes and lags become in the parallel form: cumulative sums and shifts along whole sequences. */

import type { GraphBuilder } from "../../ir/builder.js";
import type { NodeOf, ValueId } from "../../ir/graph.js";

/** x of `by` tokens ago, where the document has them. */
export function delayForm(
  builder: GraphBuilder,
  node: NodeOf<"delay">,
  [x, positions]: readonly ValueId[],
): ValueId {
  const { axis, by } = node.attributes;
  const shifted = builder.op("shift", { axis, by }, [x!]);
  const inside = builder.map("ge", positions!, builder.constant(by));
  const result = builder.map("select", inside, shifted, builder.constant(0));
  return builder.type(x!).dtype === "int" ? builder.map("to_int", result) : result;
}

/** Index of a slot minus the index of the first slot of its expert and document. */
export function slotPositionsForm(
  builder: GraphBuilder,
  [expert, time, positions]: readonly ValueId[],
): ValueId {
  const starts = builder.map("eq", positions!, builder.constant(0));
  const running = { fn: "sum", axis: "time", reverse: false, exclusive: false } as const;
  const document = builder.op("cumulate", running, [starts]);
  const documentOfSlot = builder.op("take", { axis: "time" }, [document, time!]);
  // one number per (expert, document), never 0, which stands before the first slot
  const most = builder.constant(builder.size(positions!, "time") + 2);
  const key = builder.add(
    builder.add(builder.mul(expert!, most), documentOfSlot),
    builder.constant(1),
  );
  const before = builder.op("shift", { axis: "slots", by: 1 }, [key]);
  const index = builder.iota({ name: "slots", size: builder.size(key, "slots") });
  const start = builder.map("select", builder.map("ne", key, before), index, builder.constant(0));
  const latest = builder.op(
    "cumulate",
    { fn: "max", axis: "slots", reverse: false, exclusive: false },
    [start],
  );
  return builder.sub(index, latest);
}
