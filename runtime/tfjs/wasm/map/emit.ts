/**
 * A map as one WebAssembly function: the loop nest, and in it the scalar code on four lanes at a time.
 *
 * Every load and every instruction stands in the outermost loop in which its value is settled, so what
 * does not vary along the inner axes is computed once for all of them. Sizes and strides are constants of
 * the code. A sum is split: 128 steps at a time go to a partial sum, so that errors grow with the
 * square root of the number of parts rather than of terms.
 */

import type { ScalarFunction } from "../../../../compiler/ir/scalar-functions.js";
import type { Instruction, MapKernel, Operand } from "../../kernel-set.js";
import type { FunctionBuilder } from "../assembler/assembler.js";
import { ModuleBuilder, type Local } from "../assembler/assembler.js";
import { f32x4, i32, i32x4, v128, type V128 } from "../assembler/instructions.js";
import { vectorFunctions } from "../functions/table.js";
import {
  loadBlock,
  maskBlock,
  positionBlock,
  storeBlock,
  wholeBlock,
  type Block,
} from "./lanes.js";
import { unitsOf, type Nest } from "./nest.js";

/** How the values of a tensor are held: `bits` are moved without a look at them. */
export type Representation = "float" | "int" | "bits";

export interface MapTypes {
  readonly inputs: readonly Representation[];
  readonly output: Representation;
}

/** Exports `run(input₀, …, output, from, to, thread)`: rounds `from` … `to` − 1 of the outermost loop. */
export function buildMapModule(
  kernel: MapKernel,
  nest: Nest,
  types: MapTypes,
  sharedMemory: boolean,
): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.function("run", (f) => new MapEmitter(f, kernel, nest, types).emit());
  return module.finish(sharedMemory);
}

const stepsPerPart = 128;

class MapEmitter {
  readonly #f: FunctionBuilder;
  readonly #kernel: MapKernel;
  readonly #nest: Nest;
  readonly #types: MapTypes;
  /** Where each operand stands: an address, or an index for a position. */
  readonly #pointers: readonly Local<"i32">[];
  readonly #from: Local<"i32">;
  readonly #to: Local<"i32">;
  readonly #operandLevels: readonly number[];
  readonly #instructionLevels: readonly number[];
  readonly #unroll: number;
  readonly #operandValues: V128[][] = [];
  readonly #values: V128[][] = [];
  #block: Block = wholeBlock(1);
  #sums: Local<"v128">[] = [];

  constructor(f: FunctionBuilder, kernel: MapKernel, nest: Nest, types: MapTypes) {
    this.#f = f;
    this.#kernel = kernel;
    this.#nest = nest;
    this.#types = types;
    const inputs = kernel.inputs.map(() => f.parameter("i32"));
    const output = f.parameter("i32");
    this.#from = f.parameter("i32");
    this.#to = f.parameter("i32");
    f.parameter("i32"); // the thread: nothing here needs scratch
    this.#pointers = [...inputs, ...nest.positions.map(() => f.local("i32")), output];
    this.#operandLevels = this.#pointers.map((_, o) =>
      nest.axes.findLastIndex((axis) => axis.strides[o] !== 0),
    );
    const levels: number[] = [];
    for (const step of kernel.code)
      levels.push(Math.max(-1, ...step.arguments.map((a) => this.#levelOf(a, levels))));
    this.#instructionLevels = levels;
    this.#unroll = this.#chooseUnroll();
  }

  emit(): void {
    this.#enter(-1);
    if (unitsOf(this.#nest) > 1) this.#outermost();
    else this.#loop(0);
  }

  /** The rounds of the outermost loop that this call is to make. */
  #outermost(): void {
    const f = this.#f;
    const round = this.#from;
    this.#pointers.forEach((pointer, o) =>
      f.bump(pointer, i32.mul(round, i32.const(this.#byteStep(o, 0)))),
    );
    f.while(round, this.#to, 1, () => {
      this.#enter(0);
      this.#loop(1);
      this.#advance(0, 1);
    });
  }

  get #reduces(): boolean {
    return this.#nest.firstReduced < this.#nest.axes.length;
  }

  #levelOf(operand: Operand, instructionLevels: readonly number[]): number {
    switch (operand.kind) {
      case "constant":
        return -1;
      case "value":
        return instructionLevels[operand.index]!;
      case "input":
        return this.#operandLevels[operand.index]!;
      case "position":
        return this.#operandLevels[this.#positionOperand(operand.letter)]!;
    }
  }

  #positionOperand(letter: string): number {
    return this.#kernel.inputs.length + this.#nest.positions.indexOf(letter);
  }

  /**
   * Vectors a block, 4, 2 or 1. What limits these loops is the chain of dependent instructions, so several
   * chains side by side pay even where V8 must spill registers; past about a hundred instructions it has
   * enough in flight.
   */
  #chooseUnroll(): 1 | 2 | 4 {
    const cost = this.#kernel.code.reduce((sum, step, i) => {
      const inside = this.#instructionLevels[i]! >= this.#nest.vector;
      return sum + (inside ? vectorFunctions[step.fn as ScalarFunction].cost : 0);
    }, 0);
    const { size } = this.#nest.axes[this.#nest.vector]!;
    if (cost <= 60 && size >= 16) return 4;
    return cost <= 120 && size >= 8 ? 2 : 1;
  }

  /** Emits what is settled in the body of loop `level`. */
  #enter(level: number): void {
    const f = this.#f;
    const vectorAxis = this.#nest.axes[this.#nest.vector]!;
    const inputs = this.#kernel.inputs.length;
    for (let o = 0; o < this.#pointers.length - 1; o++) {
      if (this.#operandLevels[o] !== level) continue;
      const stride = vectorAxis.strides[o]!;
      if (o >= inputs)
        this.#operandValues[o] = positionBlock(f, this.#pointers[o]!, stride, this.#block);
      else {
        const loaded = loadBlock(f, this.#pointers[o]!, stride, this.#block);
        const isInt = this.#types.inputs[o] === "int";
        this.#operandValues[o] = isInt
          ? loaded.map((vector) => f.keep(f32x4.fromI32(vector)))
          : loaded;
      }
    }
    this.#kernel.code.forEach((step, i) => {
      if (this.#instructionLevels[i] === level) this.#values[i] = this.#compute(step);
    });
  }

  #compute(step: Instruction): V128[] {
    const f = this.#f;
    const operands = step.arguments.map((operand) => this.#valueOf(operand));
    const vectors = Math.max(...operands.map((value) => value.length));
    const { emit } = vectorFunctions[step.fn as ScalarFunction];
    return Array.from({ length: vectors }, (_, u) => {
      const [a, b, c] = operands.map((value) => value[u] ?? value[0]!);
      return f.keep(emit(f, a!, b ?? a!, c ?? a!));
    });
  }

  #valueOf(operand: Operand): V128[] {
    switch (operand.kind) {
      case "constant":
        return [this.#f.constant(f32x4.const(operand.value))];
      case "value":
        return this.#values[operand.index]!;
      case "input":
        return this.#operandValues[operand.index]!;
      case "position":
        return this.#operandValues[this.#positionOperand(operand.letter)]!;
    }
  }

  #loop(level: number): void {
    if (this.#reduces && level === this.#nest.firstReduced)
      this.#reduction(() => this.#loopInside(level));
    else this.#loopInside(level);
  }

  #loopInside(level: number): void {
    const axis = this.#nest.axes[level];
    if (!axis) this.#innermost();
    else if (level === this.#nest.vector) this.#vectorLoop(level, axis.size);
    else {
      this.#repeat(level, axis.size, 1, this.#block);
      this.#advance(level, -axis.size);
    }
  }

  #vectorLoop(level: number, size: number): void {
    const outside = this.#block;
    const whole = wholeBlock(this.#unroll);
    const blocks = Math.floor(size / (4 * whole.vectors));
    if (blocks > 0) this.#repeat(level, blocks, 4 * whole.vectors, whole);
    const singles = (size - 4 * whole.vectors * blocks) >> 2;
    if (singles > 0) this.#repeat(level, singles, 4, wholeBlock(1));
    const rest = size & 3;
    if (rest > 0 && size < 4)
      this.#repeat(level, 1, rest, { vectors: 1, valid: rest, repeated: 0 });
    else if (rest > 0) {
      this.#advance(level, rest - 4);
      this.#repeat(level, 1, 4, { vectors: 1, valid: 4, repeated: 4 - rest });
    }
    this.#advance(level, -size);
    this.#block = outside;
  }

  /** `count` rounds of a loop, each of `step` elements. */
  #repeat(level: number, count: number, step: number, block: Block): void {
    const f = this.#f;
    this.#block = block;
    const counter = f.local("i32");
    const body = (): void => {
      this.#enter(level);
      this.#loop(level + 1);
      this.#advance(level, step);
    };
    const innermost = level === this.#nest.axes.length - 1;
    if (!innermost || !this.#reduces || count <= stepsPerPart) return f.times(counter, count, body);
    const totals = this.#sums;
    const parts = totals.map(() => f.keep(this.#neutral()));
    this.#sums = parts;
    const flush = (): void =>
      totals.forEach((total, i) => {
        f.set(total, this.#combine(total, parts[i]!));
        f.set(parts[i]!, this.#neutral());
      });
    f.times(counter, count, () => {
      body();
      const mask = i32.const(stepsPerPart - 1);
      f.if(i32.eq(i32.and(counter, mask), mask), flush);
    });
    flush();
    this.#sums = totals;
  }

  #advance(level: number, elements: number): void {
    this.#pointers.forEach((pointer, o) =>
      this.#f.bump(pointer, this.#byteStep(o, level) * elements),
    );
  }

  /** How far an operand moves in one round of a loop: bytes, or places of a position. */
  #byteStep(operand: number, level: number): number {
    const inputs = this.#kernel.inputs.length;
    const isPosition = operand >= inputs && operand < this.#pointers.length - 1;
    return this.#nest.axes[level]!.strides[operand]! * (isPosition ? 1 : 4);
  }

  #innermost(): void {
    const code = this.#kernel.code;
    const values = code.length > 0 ? this.#values[code.length - 1]! : this.#operandValues[0]!;
    if (!this.#reduces) return this.#store(values, this.#block);
    const f = this.#f;
    for (let u = 0; u < this.#block.vectors; u++) {
      const value = maskBlock(f, values[u] ?? values[0]!, this.#neutral(), this.#laneMask());
      f.set(this.#sums[u]!, this.#combine(this.#sums[u]!, value));
    }
  }

  /** Lanes along a kept axis are separate results: none of them is masked. */
  #laneMask(): Block {
    return this.#nest.vector >= this.#nest.firstReduced ? this.#block : wholeBlock(1);
  }

  #reduction(body: () => void): void {
    const f = this.#f;
    const acrossLanes = this.#nest.vector >= this.#nest.firstReduced;
    const block = this.#block;
    const sums = Array.from({ length: acrossLanes ? this.#unroll : block.vectors }, () =>
      f.keep(this.#neutral()),
    );
    this.#sums = sums;
    body();
    if (!acrossLanes) return this.#store(sums, block);
    let rest: Local<"v128">[] = sums;
    while (rest.length > 1) {
      const half = rest.length >> 1;
      rest = rest.slice(0, half).map((sum, i) => f.keep(this.#combine(sum, rest[i + half]!)));
    }
    const pairs = f.keep(this.#combine(rest[0]!, v128.shuffle32(rest[0]!, rest[0]!, [2, 3, 2, 3])));
    const total = f.keep(this.#combine(pairs, v128.shuffle32(pairs, pairs, [1, 1, 1, 1])));
    this.#store([total], { vectors: 1, valid: 1, repeated: 0 });
  }

  #store(values: readonly V128[], block: Block): void {
    const isInt = this.#types.output === "int";
    const stored = isInt ? values.map((value) => this.#f.keep(i32x4.fromF32(value))) : values;
    storeBlock(this.#f, this.#pointers.at(-1)!, stored, block);
  }

  #neutral(): V128 {
    return this.#f.constant(f32x4.const(this.#kernel.reduce === "max" ? -Infinity : 0));
  }

  #combine(a: V128, b: V128): V128 {
    return this.#kernel.reduce === "max" ? f32x4.max(a, b) : f32x4.add(a, b);
  }
}
