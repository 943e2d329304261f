/**
 * A small WebAssembly assembler: functions made of typed expressions, one imported memory, direct
 * and indirect calls. Chosen over binaryen (10 MB, asynchronous start) and wabt because kernels are
 * made while training runs, in browsers too, and use forty instructions in three control shapes.
 */

import { flatten, list, name, section, unsigned, type Code } from "./encoding.js";
import {
  i32,
  store,
  storeLane,
  type Expr,
  type I32,
  type V128,
  type ValueType,
} from "./instructions.js";

const valueTypeCode: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};

/** A local variable or parameter: an expression that can also be assigned. */
export interface Local<T extends ValueType> extends Expr<T> {
  readonly index: number;
}

/** What callers need to know of a function: its number and its signature. */
export interface FunctionHandle {
  readonly index: number;
  readonly signature: number;
}

export class FunctionBuilder {
  readonly parameters: ValueType[] = [];
  readonly #locals: ValueType[] = [];
  readonly #constants = new Map<string, Expr<ValueType>>();
  readonly #prologue: Code[] = [];
  #body: Code[] = [];

  /** All parameters come before the first local. */
  parameter<T extends ValueType>(type: T): Local<T> {
    this.parameters.push(type);
    return this.#variable(type, this.parameters.length - 1);
  }

  /** A fresh variable, 0 at the start of the function. */
  local<T extends ValueType>(type: T): Local<T> {
    this.#locals.push(type);
    return this.#variable(type, this.parameters.length + this.#locals.length - 1);
  }

  /** A fresh variable set here: evaluates the expression once for many uses. */
  keep<T extends ValueType>(value: Expr<T>): Local<T> {
    const local = this.local(value.type);
    this.set(local, value);
    return local;
  }

  /** A constant vector, set once at the start of the function (building one takes three instructions). */
  constant(value: V128): V128 {
    const key = flatten(value.code).join();
    const known = this.#constants.get(key);
    if (known) return known as V128;
    const local = this.local("v128");
    this.#prologue.push([value.code, 0x21, unsigned(local.index)]);
    this.#constants.set(key, local);
    return local;
  }

  set<T extends ValueType>(local: Local<T>, value: Expr<T>): void {
    this.#body.push([value.code, 0x21, unsigned(local.index)]);
  }

  /** `local += amount` */
  bump(local: Local<"i32">, amount: I32 | number): void {
    if (amount === 0) return;
    this.set(local, i32.add(local, typeof amount === "number" ? i32.const(amount) : amount));
  }

  store<T extends ValueType>(address: I32, value: Expr<T>, offset = 0): void {
    this.#body.push(store(address, value, offset));
  }

  storeLane(address: I32, vector: V128, lane: number, offset = 0): void {
    this.#body.push(storeLane(address, vector, lane, offset));
  }

  if(condition: I32, then: () => void, otherwise?: () => void): void {
    const thenCode = this.#inner(then);
    const elseCode = otherwise ? [0x05, this.#inner(otherwise)] : [];
    this.#body.push([condition.code, 0x04, 0x40, thenCode, elseCode, 0x0b]);
  }

  /** Runs the body once, then again while the condition (evaluated after the body) holds. */
  repeatWhile(body: () => void, condition: () => I32): void {
    const code = this.#inner(body);
    this.#body.push([0x03, 0x40, code, condition().code, 0x0d, 0, 0x0b]);
  }

  /** for (; counter < limit; counter += step): the counter keeps its value from before as its start. */
  while(counter: Local<"i32">, limit: I32, step: number, body: () => void): void {
    this.if(i32.ltS(counter, limit), () =>
      this.repeatWhile(
        () => {
          body();
          this.bump(counter, step);
        },
        () => i32.ltS(counter, limit),
      ),
    );
  }

  /** The body for counter = 0 … count − 1. A count known to be 1 needs no loop. */
  times(counter: Local<"i32">, count: number, body: () => void): void {
    this.set(counter, i32.const(0));
    if (count === 1) return body();
    this.repeatWhile(
      () => {
        body();
        this.bump(counter, 1);
      },
      () => i32.ltS(counter, i32.const(count)),
    );
  }

  call(callee: FunctionHandle, ...values: readonly Expr<ValueType>[]): void {
    this.#body.push([values.map((value) => value.code), 0x10, unsigned(callee.index)]);
  }

  /** Calls entry `slot` of the module's function table. */
  callIndirect(signature: number, slot: I32, ...values: readonly Expr<ValueType>[]): void {
    this.#body.push([values.map((value) => value.code), slot.code, 0x11, unsigned(signature), 0]);
  }

  /** memory.copy */
  copyBytes(to: I32, from: I32, bytes: I32): void {
    this.#body.push([to.code, from.code, bytes.code, 0xfc, 0x0a, 0, 0]);
  }

  /** memory.fill with zero */
  zeroBytes(to: I32, bytes: I32): void {
    this.#body.push([to.code, i32.const(0).code, bytes.code, 0xfc, 0x0b, 0]);
  }

  /** The function as the code section holds it. */
  finish(): Code {
    const locals = list(this.#locals.map((type) => [1, valueTypeCode[type]]));
    const bytes = flatten([locals, this.#prologue, this.#body, 0x0b]);
    return [unsigned(bytes.length), bytes];
  }

  #variable<T extends ValueType>(type: T, index: number): Local<T> {
    return { type, index, code: [0x20, unsigned(index)] };
  }

  #inner(build: () => void): Code {
    const outer = this.#body;
    this.#body = [];
    build();
    const code = this.#body;
    this.#body = outer;
    return code;
  }
}

export class ModuleBuilder {
  readonly #signatures: string[] = [];
  readonly #functions: { readonly signature: number; readonly code: Code }[] = [];
  readonly #exports: { readonly name: string; readonly index: number }[] = [];
  readonly #table: number[] = [];

  /** A function without result; with a name it is exported. */
  function(exported: string | null, build: (f: FunctionBuilder) => void): FunctionHandle {
    const f = new FunctionBuilder();
    build(f);
    const signature = this.#signature(f.parameters);
    const index = this.#functions.length;
    this.#functions.push({ signature, code: f.finish() });
    if (exported !== null) this.#exports.push({ name: exported, index });
    return { index, signature };
  }

  /** Puts a function in the table of indirect calls and returns its slot. */
  tableSlot(handle: FunctionHandle): number {
    return this.#table.push(handle.index) - 1;
  }

  /**
   * The module's bytes. A shared memory (tfjs with threads) must be imported as shared, with a maximum
   * no smaller than its own.
   */
  finish(sharedMemory: boolean): Uint8Array<ArrayBuffer> {
    const limits = sharedMemory ? [3, 0, unsigned(65536)] : [0, 0];
    const memory: Code = [name("env"), name("memory"), 2, limits];
    const exported = this.#exports.map((e): Code => [name(e.name), 0, unsigned(e.index)]);
    const slots = unsigned(this.#table.length);
    return Uint8Array.from([
      ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(
        1,
        list(
          this.#signatures.map((s) => [
            0x60,
            list(
              s
                .split(",")
                .filter(Boolean)
                .map((t) => [Number(t)]),
            ),
            0,
          ]),
        ),
      ),
      ...section(2, list([memory])),
      ...section(3, list(this.#functions.map((f) => [unsigned(f.signature)]))),
      ...(this.#table.length > 0 ? section(4, list([[0x70, 0, slots]])) : []),
      ...section(7, list(exported)),
      ...(this.#table.length > 0
        ? section(
            9,
            list([
              [0, i32.const(0).code, 0x0b, list(this.#table.map((index) => [unsigned(index)]))],
            ]),
          )
        : []),
      ...section(10, list(this.#functions.map((f) => f.code))),
    ]);
  }

  #signature(parameters: readonly ValueType[]): number {
    const key = parameters.map((type) => valueTypeCode[type]).join(",");
    const known = this.#signatures.indexOf(key);
    return known >= 0 ? known : this.#signatures.push(key) - 1;
  }
}
