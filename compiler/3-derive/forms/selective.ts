/**
 * Recurrences whose decay has every axis of the state (F5), as one `selective_scan`: the decay's logarithm, the write and the
 * reads taken apart into factors that are each smaller than the state, so that nothing of its size lies in memory for every token.
 */

import type { GraphBuilder } from "../../ir/builder.js";
import type { ValueId } from "../../ir/graph.js";
import type { ElementDecay } from "../../ir/ops.js";
import { type TensorType, axisNames, hasAxis } from "../../ir/types.js";
import { logarithm } from "./factors.js";
import { covering } from "./layout.js";
import type { NormalForm } from "./normal-form.js";

export interface SelectivePlan {
  readonly value: readonly string[];
  readonly k: ValueId;
  readonly v: ValueId;
  readonly decay: readonly (readonly [ElementDecay, ValueId])[];
}

/** Products and sums of more parts are not taken apart. */
const mostParts = 64;

/** The parts of a form; null where some part varies with the token and has axes of both sides. */
export function selectivePlan(
  b: GraphBuilder,
  form: NormalForm,
  state: TensorType,
  axis: string,
): SelectivePlan | null {
  const { key, gate, erases, writes, reads, obstacle, modulus } = form;
  const [write] = writes;
  if (obstacle !== null || erases.length > 0 || modulus !== null || key.length === 0) return null;
  if (gate === null || write === undefined || writes.length > 1 || reads.length === 0) return null;
  const varies = (x: ValueId): boolean => ["batch", axis].some((name) => hasAxis(b.type(x), name));
  const onKey = (x: ValueId): boolean => key.some((name) => hasAxis(b.type(x), name));
  /** The axes of a state without those that keys of a token have, which are its heads. */
  const valuesBeside = (keySide: readonly ValueId[]): string[] => {
    const tokens = keySide.filter((x) => varies(x) && onKey(x));
    const heads = new Set(["batch", ...key, ...tokens.flatMap((x) => axisNames(b.type(x)))]);
    return axisNames(state).filter((name) => !heads.has(name));
  };
  const queries = reads.map(({ query }) => query);
  const others = valuesBeside(queries);
  const mixed = (x: ValueId): boolean =>
    varies(x) && onKey(x) && others.some((name) => hasAxis(b.type(x), name));
  const written = factors(b, write, mixed);
  const log = withoutFloor(b, logarithm(b, gate));
  const terms = summands(b, log, mixed).map((term) => factors(b, term, mixed));
  const value = valuesBeside([...queries, ...written, ...terms.flat()]);
  if (value.length === 0) return null;
  const onValue = (x: ValueId): boolean => value.some((name) => hasAxis(b.type(x), name));
  const product = (parts: readonly ValueId[]): ValueId | null =>
    parts.length === 0 ? null : parts.reduce((x, y) => b.mul(x, y));
  /** Factors of a token's keys, of what is fixed for keys, and of all else. */
  const sorted = (parts: readonly ValueId[]) => ({
    ofKey: parts.filter((x) => varies(x) && onKey(x)),
    fixed: parts.filter((x) => !varies(x) && onKey(x)),
    rest: parts.filter((x) => !onKey(x)),
  });

  const { ofKey, fixed, rest } = sorted(written);
  if (ofKey.length > 0 && fixed.some(onValue)) return null;
  const v = product(rest);
  if (v === null || !varies(v)) return null;
  const k = product([...ofKey, ...fixed]) ?? b.constant(1);

  const decay = new Map<ElementDecay, ValueId>();
  const put = (name: ElementDecay, x: ValueId): void => {
    const known = decay.get(name);
    decay.set(name, known === undefined ? x : b.add(known, x));
  };
  for (const parts of terms) {
    const own = sorted(parts);
    if (own.ofKey.length > 0) {
      if ([...own.fixed, ...own.rest].some(onValue)) return null;
      put("log_key", product(parts)!);
    } else if (own.fixed.length === 0) put("log_value", product(parts)!);
    else {
      const step = product(own.rest);
      const alone = step === null || !varies(step);
      if (decay.has("rate") && !(alone && !decay.has("step"))) return null;
      put("rate", product(alone ? parts : own.fixed)!);
      if (!alone) put("step", step);
    }
  }
  const order = ["step", "rate", "log_key", "log_value"] as const;
  return {
    value,
    k: covering(b, k, key, state),
    v,
    decay: order.flatMap((name) => {
      const x = decay.get(name);
      return x === undefined ? [] : [[name, x] as const];
    }),
  };
}

/** One scan for each read, and what belongs to it. */
export function selectiveScans(
  b: GraphBuilder,
  { key, reads }: NormalForm,
  { value, k, v, decay }: SelectivePlan,
  {
    axis,
    state,
    positions,
    label,
  }: {
    readonly axis: string;
    readonly state: ValueId;
    readonly positions: ValueId;
    readonly label: string;
  },
): readonly ValueId[] {
  return reads.map(({ query, scale, plus, when }) => {
    const read = when === "new" ? "after" : "before";
    const names = decay.map(([name]) => name);
    const q = covering(b, query, key, b.type(state));
    const inputs = [state, positions, q, k, v, ...decay.map(([, x]) => x)];
    const y = b.op("selective_scan", { axis, key, value, decay: names, read, label }, inputs);
    const scaled = scale === null ? y : b.mul(y, scale);
    return plus === null ? scaled : b.add(scaled, plus);
  });
}

/** A logarithm without the bound below which a decay is complete: its steps are taken one by one, and none divides by it. */
function withoutFloor(b: GraphBuilder, log: ValueId): ValueId {
  const node = b.producer(log);
  const floored = node?.op === "map" && node.attributes.fn === "maximum";
  return floored && b.constantOf(node.inputs[1]!) !== undefined ? node.inputs[0]! : log;
}

/** What adds up to x, as far as parts of it are `mixed`. */
function summands(b: GraphBuilder, x: ValueId, mixed: (x: ValueId) => boolean): ValueId[] {
  const found: ValueId[] = [];
  const work = [x];
  while (work.length > 0) {
    const id = work.pop()!;
    const node = mixed(id) && found.length < mostParts ? b.producer(id) : undefined;
    const [left, right] = node?.inputs ?? [];
    const fn = node?.op === "map" ? node.attributes.fn : null;
    if (fn === "add") work.push(right!, left!);
    else if (fn === "sub") work.push(b.neg(right!), left!);
    else found.push(id);
  }
  return found;
}

/** What x is the product of, as far as parts of it are `mixed`. */
function factors(b: GraphBuilder, x: ValueId, mixed: (x: ValueId) => boolean): ValueId[] {
  const found: ValueId[] = [];
  const work = [x];
  let negative = false;
  while (work.length > 0) {
    const id = work.pop()!;
    const node = mixed(id) && found.length < mostParts ? b.producer(id) : undefined;
    const [left, right] = node?.inputs ?? [];
    const fn = node?.op === "map" ? node.attributes.fn : null;
    if (fn === "mul") work.push(right!, left!);
    else if (fn === "div") work.push(b.map("reciprocal", right!), left!);
    else if (fn === "neg") {
      negative = !negative;
      work.push(left!);
    } else found.push(id);
  }
  return negative ? [b.neg(found[0]!), ...found.slice(1)] : found;
}
