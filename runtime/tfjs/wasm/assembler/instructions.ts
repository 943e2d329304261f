/**
 * Typed WebAssembly expressions: `i32.add(a, b)` builds a tree of bytes whose stack type TypeScript
 * checks. An expression used twice is evaluated twice; keep it in a local first (`FunctionBuilder.keep`).
 * Opcodes are those of the core specification 2.0 with fixed-width SIMD.
 */

import { float32, float64, signed, unsigned, type Code } from "./encoding.js";

export type ValueType = "i32" | "f32" | "f64" | "v128";

export interface Expr<T extends ValueType> {
  readonly type: T;
  readonly code: Code;
}

export type I32 = Expr<"i32">;
export type F32 = Expr<"f32">;
export type F64 = Expr<"f64">;
export type V128 = Expr<"v128">;

/** SIMD opcodes follow the prefix 0xfd as LEB128 numbers. */
const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];

const unary =
  <A extends ValueType, R extends ValueType>(type: R, opcode: readonly number[]) =>
  (a: Expr<A>): Expr<R> => ({ type, code: [a.code, opcode] });

const binary =
  <A extends ValueType, R extends ValueType>(type: R, opcode: readonly number[]) =>
  (a: Expr<A>, b: Expr<A>): Expr<R> => ({ type, code: [a.code, b.code, opcode] });

const vector1 = (opcode: number) => unary<"v128", "v128">("v128", simd(opcode));
const vector2 = (opcode: number) => binary<"v128", "v128">("v128", simd(opcode));
const integer2 = (opcode: number) => binary<"i32", "i32">("i32", [opcode]);
const shift =
  (opcode: number) =>
  (a: V128, bits: number): V128 => ({
    type: "v128",
    code: [a.code, i32.const(bits).code, simd(opcode)],
  });

/** Alignment hints are all 0 (any address): tfjs aligns tensors to 8 bytes only. */
const load =
  <R extends ValueType>(type: R, opcode: readonly number[]) =>
  (address: I32, offset = 0): Expr<R> => ({
    type,
    code: [address.code, opcode, 0, unsigned(offset)],
  });

export const i32 = {
  const: (value: number): I32 => ({ type: "i32", code: [0x41, signed(value)] }),
  load: load("i32", [0x28]),
  add: integer2(0x6a),
  sub: integer2(0x6b),
  mul: integer2(0x6c),
  divU: integer2(0x6e),
  remU: integer2(0x70),
  and: integer2(0x71),
  shl: integer2(0x74),
  eq: integer2(0x46),
  ltS: integer2(0x48),
  gtS: integer2(0x4a),
  leS: integer2(0x4c),
  min: (a: I32, b: I32): I32 => select(a, b, i32.ltS(a, b)),
};

export const f32 = {
  const: (value: number): F32 => ({ type: "f32", code: [0x43, float32(value)] }),
  load: load("f32", [0x2a]),
  add: binary<"f32", "f32">("f32", [0x92]),
  max: binary<"f32", "f32">("f32", [0x97]),
  fromF64: unary<"f64", "f32">("f32", [0xb6]),
};

export const f64 = {
  const: (value: number): F64 => ({ type: "f64", code: [0x44, float64(value)] }),
  add: binary<"f64", "f64">("f64", [0xa0]),
  fromF32: unary<"f32", "f64">("f64", [0xbb]),
};

export const v128 = {
  load: load("v128", simd(0x00)),
  load32Splat: load("v128", simd(0x09)),
  load32Zero: load("v128", simd(0x5c)),
  /** The vector with one lane replaced by the four bytes at the address. */
  load32Lane: (address: I32, vector: V128, lane: number, offset = 0): V128 => ({
    type: "v128",
    code: [address.code, vector.code, simd(0x56), 0, unsigned(offset), lane],
  }),
  const: (bytes: readonly number[]): V128 => ({ type: "v128", code: [simd(0x0c), bytes] }),
  and: vector2(0x4e),
  /** a ∧ ¬b */
  andNot: vector2(0x4f),
  or: vector2(0x50),
  xor: vector2(0x51),
  /** Bits of `a` where the mask is 1, else of `b`. */
  bitselect: (a: V128, b: V128, mask: V128): V128 => ({
    type: "v128",
    code: [a.code, b.code, mask.code, simd(0x52)],
  }),
  /** Lanes 0–3 are those of `a`, 4–7 those of `b`. */
  shuffle32: (a: V128, b: V128, lanes: readonly [number, number, number, number]): V128 => ({
    type: "v128",
    code: [
      a.code,
      b.code,
      simd(0x0d),
      lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)),
    ],
  }),
};

export const f32x4 = {
  const: (value: number): V128 => v128.const([1, 2, 3, 4].flatMap(() => float32(value))),
  lanes: (values: readonly number[]): V128 => v128.const(values.flatMap(float32)),
  splat: unary<"f32", "v128">("v128", simd(0x13)),
  eq: vector2(0x41),
  ne: vector2(0x42),
  lt: vector2(0x43),
  gt: vector2(0x44),
  le: vector2(0x45),
  ge: vector2(0x46),
  floor: vector1(0x68),
  abs: vector1(0xe0),
  neg: vector1(0xe1),
  sqrt: vector1(0xe3),
  add: vector2(0xe4),
  sub: vector2(0xe5),
  mul: vector2(0xe6),
  div: vector2(0xe7),
  /** NaN where either is NaN. */
  max: vector2(0xe9),
  /** b < a ? b : a — one machine instruction, and NaN in `a` stays. */
  pmin: vector2(0xea),
  /** a < b ? b : a */
  pmax: vector2(0xeb),
  fromI32: vector1(0xfa),
  /** Lanes 0 and 1 from two doubles, the others 0. */
  fromF64: vector1(0x5e),
};

export const i32x4 = {
  const: (value: number): V128 => i32x4.lanes([value, value, value, value]),
  lanes: (values: readonly number[]): V128 =>
    v128.const(values.flatMap((value) => [...new Uint8Array(new Int32Array([value]).buffer)])),
  splat: unary<"i32", "v128">("v128", simd(0x11)),
  eq: vector2(0x37),
  shl: shift(0xab),
  shrS: shift(0xac),
  add: vector2(0xae),
  sub: vector2(0xb1),
  fromF32: vector1(0xf8),
};

export const f64x2 = {
  splat: unary<"f64", "v128">("v128", simd(0x14)),
  const: (value: number): V128 => v128.const([1, 2].flatMap(() => float64(value))),
  nearest: vector1(0x94),
  floor: vector1(0x75),
  add: vector2(0xf0),
  sub: vector2(0xf1),
  mul: vector2(0xf2),
  div: vector2(0xf3),
  pmin: vector2(0xf6),
  pmax: vector2(0xf7),
  /** From lanes 0 and 1 of a float vector. */
  fromF32: vector1(0x5f),
  /** From lanes 0 and 1 of an int vector. */
  fromI32: vector1(0xfe),
};

/** `a` if the condition is not 0; both are evaluated. */
export function select<T extends "i32" | "f32" | "f64">(
  a: Expr<T>,
  b: Expr<T>,
  condition: I32,
): Expr<T> {
  return { type: a.type, code: [a.code, b.code, condition.code, 0x1b] };
}

const storeOpcode: Readonly<Record<ValueType, readonly number[]>> = {
  i32: [0x36],
  f32: [0x38],
  f64: [0x39],
  v128: simd(0x0b),
};

export function store<T extends ValueType>(address: I32, value: Expr<T>, offset: number): Code {
  return [address.code, value.code, storeOpcode[value.type], 0, unsigned(offset)];
}

export function storeLane(address: I32, vector: V128, lane: number, offset: number): Code {
  return [address.code, vector.code, simd(0x5a), 0, unsigned(offset), lane];
}

const madd = simd(0x105);

/** A module that uses `f32x4.relaxed_madd`, to ask the engine whether it knows the instruction. */
const relaxedProbe = Uint8Array.from([
  0,
  0x61,
  0x73,
  0x6d,
  1,
  0,
  0,
  0, // magic, version
  1,
  7,
  1,
  0x60,
  2,
  0x7b,
  0x7b,
  1,
  0x7b, // type (v128, v128) → v128
  3,
  2,
  1,
  0, // one function
  10,
  13,
  1,
  11,
  0,
  0x20,
  0,
  0x20,
  1,
  0x20,
  0,
  ...madd,
  0x0b,
]);

/** Asked when the first kernel is built: Node 20 has it once its flag is set (backends/wasm-node.node.ts). */
let fused: boolean | null = null;

/** Safari lacks relaxed SIMD; Chrome 114+, Firefox 145+ and Node have it. */
const hasFusedMultiply = (): boolean => (fused ??= WebAssembly.validate(relaxedProbe));

/** a · b + c: fused where the engine can (then rounded once), else two instructions. */
export function multiplyAdd(a: V128, b: V128, c: V128): V128 {
  if (hasFusedMultiply()) return { type: "v128", code: [a.code, b.code, c.code, madd] };
  return f32x4.add(f32x4.mul(a, b), c);
}
