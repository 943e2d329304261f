/** The convolution kernels themselves; each takes (to, first, second, positions, lead, length, taps, channels). */

import { ModuleBuilder, type FunctionBuilder, type Local } from "./assembler/assembler.js";
import { i32, multiplyAdd, v128, type I32, type V128 } from "./assembler/instructions.js";

export function buildConvModule(sharedMemory: boolean): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  emitGather(module, "conv");
  emitGather(module, "convInputGradient");
  emitWeightGradient(module);
  return module.finish(sharedMemory);
}

type Names = "to" | "first" | "second" | "positions" | "lead" | "length" | "taps" | "channels";

function parameters(f: FunctionBuilder): Readonly<Record<Names, Local<"i32">>> {
  const names: readonly Names[] = [
    "to",
    "first",
    "second",
    "positions",
    "lead",
    "length",
    "taps",
    "channels",
  ];
  return Object.fromEntries(names.map((name) => [name, f.parameter("i32")])) as Record<
    Names,
    Local<"i32">
  >;
}

type Load = (from: I32, offset?: number) => V128;
type Store = (to: I32, value: V128, offset?: number) => void;

/** Byte offsets of channels: sixteen, four, then one at a time. */
function eachChannel(
  f: FunctionBuilder,
  channels: Local<"i32">,
  body: (at: I32, offsets: readonly number[], load: Load, store: Store) => void,
): void {
  const channel = f.local("i32");
  const at = i32.shl(channel, i32.const(2));
  f.set(channel, i32.const(0));
  for (const width of [16, 4]) {
    const whole = f.keep(i32.and(channels, i32.const(-width)));
    const offsets = Array.from({ length: width / 4 }, (_, i) => 16 * i);
    f.while(channel, whole, width, () =>
      body(at, offsets, v128.load, (to, value, offset) => f.store(to, value, offset)),
    );
  }
  f.while(channel, channels, 1, () =>
    body(at, [0], v128.load32Zero, (to, value, offset) => f.storeLane(to, value, 0, offset)),
  );
}

/** For every token of every sequence. */
function eachToken(
  f: FunctionBuilder,
  lead: Local<"i32">,
  length: Local<"i32">,
  body: (t: Local<"i32">) => void,
): void {
  const sequence = f.local("i32");
  const t = f.local("i32");
  f.while(sequence, lead, 1, () => {
    f.set(t, i32.const(0));
    f.while(t, length, 1, () => body(t));
  });
}

/** How many taps reach from this token: min(taps, t + 1, positions[t] + 1). */
function reachOf(t: I32, position: I32, taps: I32): I32 {
  return i32.min(taps, i32.add(i32.min(t, position), i32.const(1)));
}

/**
 * `conv`: a token's sum over the taps that reach. `convInputGradient`: tap j of token s is the term of token
 * s + j, so each one asks whether that token reaches back by j.
 */
function emitGather(module: ModuleBuilder, name: "conv" | "convInputGradient"): void {
  module.function(name, (f) => {
    const p = parameters(f);
    const rowBytes = f.keep(i32.shl(p.channels, i32.const(2)));
    const backward = name === "convInputGradient";
    const count = f.local("i32");
    const tap = f.local("i32");
    const source = f.local("i32");
    const weight = f.local("i32");
    const place = f.local("i32");
    eachToken(f, p.lead, p.length, (t) => {
      if (backward) f.set(count, i32.min(p.taps, i32.sub(p.length, t)));
      else f.set(count, reachOf(t, i32.load(p.positions), p.taps));
      eachChannel(f, p.channels, (at, offsets, load, store) => {
        const sums = offsets.map(() => f.local("v128"));
        for (const sum of sums) f.set(sum, v128.const(new Array<number>(16).fill(0)));
        f.set(source, i32.add(p.first, at));
        f.set(weight, i32.add(p.second, at));
        f.set(place, p.positions);
        f.set(tap, i32.const(0));
        const add = (): void =>
          sums.forEach((sum, i) =>
            f.set(sum, multiplyAdd(load(source, offsets[i]), load(weight, offsets[i]), sum)),
          );
        f.while(tap, count, 1, () => {
          if (backward) f.if(i32.leS(tap, i32.load(place)), add);
          else add();
          f.set(source, backward ? i32.add(source, rowBytes) : i32.sub(source, rowBytes));
          f.bump(weight, rowBytes);
          f.bump(place, 4);
        });
        sums.forEach((sum, i) => store(i32.add(p.to, at), sum, offsets[i]));
      });
      f.bump(p.to, rowBytes);
      f.bump(p.first, rowBytes);
      f.bump(p.positions, 4);
    });
  });
}

/** Adds every token's products to the taps that reach, in a result that is zero at the start. */
function emitWeightGradient(module: ModuleBuilder): void {
  module.function("convWeightGradient", (f) => {
    const p = parameters(f);
    const rowBytes = f.keep(i32.shl(p.channels, i32.const(2)));
    const reach = f.local("i32");
    const tap = f.local("i32");
    const source = f.local("i32");
    const target = f.local("i32");
    eachToken(f, p.lead, p.length, (t) => {
      f.set(reach, reachOf(t, i32.load(p.positions), p.taps));
      eachChannel(f, p.channels, (at, offsets, load, store) => {
        const gradient = offsets.map((offset) => f.keep(load(i32.add(p.second, at), offset)));
        f.set(source, i32.add(p.first, at));
        f.set(target, i32.add(p.to, at));
        f.set(tap, i32.const(0));
        f.while(tap, reach, 1, () => {
          offsets.forEach((offset, i) =>
            store(
              target,
              multiplyAdd(load(source, offset), gradient[i]!, load(target, offset)),
              offset,
            ),
          );
          f.set(source, i32.sub(source, rowBytes));
          f.bump(target, rowBytes);
        });
      });
      f.bump(p.first, rowBytes);
      f.bump(p.second, rowBytes);
      f.bump(p.positions, 4);
    });
  });
}
