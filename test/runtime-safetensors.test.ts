import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DTYPES, toFloat32, type Dtype, type Tensor } from "../runtime/checkpoint/dtypes.js";
import {
  decodeSafetensors,
  encodeSafetensors,
  type Safetensors,
} from "../runtime/checkpoint/safetensors.js";
import { readSafetensors, writeSafetensors } from "../runtime/checkpoint/safetensors.node.js";
import { RunError } from "../runtime/run/errors.js";

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "lsm-safetensors-"))));
afterAll(() => rm(folder, { recursive: true }));

const concat = (pieces: Uint8Array[]) => new Uint8Array(Buffer.concat(pieces));

/** A file with the given header text and data. */
function file(header: string | Uint8Array, data = new Uint8Array(0), claimed?: bigint): Uint8Array {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, claimed ?? BigInt(text.length), true);
  return concat([prefix, text, data]);
}

const tensor = fc
  .record({
    dtype: fc.constantFrom(...(Object.keys(DTYPES) as Dtype[])),
    shape: fc.array(fc.nat(4), { maxLength: 3 }),
  })
  .chain(({ dtype, shape }) => {
    const bytes = shape.reduce((a, b) => a * b, DTYPES[dtype].bytes);
    return fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((raw): Tensor => {
      const buffer = new Uint8Array(raw).buffer;
      return { dtype, shape, data: DTYPES[dtype].view(buffer, 0, bytes / DTYPES[dtype].bytes) };
    });
  });
const contents: fc.Arbitrary<Safetensors> = fc.record({
  tensors: fc
    .array(
      fc.tuple(
        fc.string({ unit: "grapheme" }).filter((name) => name !== "__metadata__"),
        tensor,
      ),
      { maxLength: 5 },
    )
    .map((entries) => new Map(entries)),
  metadata: fc
    .array(fc.tuple(fc.string(), fc.string({ unit: "grapheme" })))
    .map((entries) => new Map(entries)),
});

const rawBytes = (t: Tensor) =>
  Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength).toString("hex");
const plain = ({ tensors, metadata }: Safetensors) => ({
  tensors: Object.fromEntries(
    [...tensors].sort().map(([name, t]) => [name, [t.dtype, t.shape, rawBytes(t)]]),
  ),
  metadata: [...metadata].sort(),
});

describe("safetensors", () => {
  test("what is written is read back, in memory and on disk", async () => {
    const path = join(folder, "round.safetensors");
    await fc.assert(
      fc.asyncProperty(contents, async (given) => {
        const bytes = concat(encodeSafetensors(given));
        expect(plain(decodeSafetensors(bytes, "memory"))).toEqual(plain(given));
        await writeSafetensors(path, given);
        expect(plain(await readSafetensors(path))).toEqual(plain(given));
      }),
      { numRuns: 60 },
    );
  });

  test("the layout is the one the format defines", () => {
    const bytes = concat(
      encodeSafetensors({
        tensors: new Map([["b", { dtype: "F32", shape: [2], data: Float32Array.of(1, 2) }]]),
        metadata: new Map([["k", "v"]]),
      }),
    );
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(new TextDecoder().decode(bytes.slice(8, 8 + length)).trimEnd()).toBe(
      '{"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
    );
    expect(new Float32Array(bytes.slice(8 + length).buffer)).toEqual(Float32Array.of(1, 2));
  });

  test("keys such as __proto__ are names like any other", () => {
    const one: Tensor = { dtype: "I32", shape: [], data: Int32Array.of(7) };
    const read = decodeSafetensors(
      concat(
        encodeSafetensors({
          tensors: new Map([
            ["__proto__", one],
            ["constructor", one],
          ]),
          metadata: new Map(),
        }),
      ),
      "x",
    );
    expect([...read.tensors.keys()].sort()).toEqual(["__proto__", "constructor"]);
    expect(({} as Record<string, unknown>)["dtype"]).toBeUndefined();
  });

  test("half precision widens exactly", () => {
    const words = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x8000, 0x3555);
    expect([...toFloat32({ dtype: "F16", shape: [7], data: words })]).toEqual([
      1,
      -2,
      2 ** -24,
      65504,
      Infinity,
      -0,
      0.333251953125,
    ]);
    expect([
      ...toFloat32({ dtype: "BF16", shape: [2], data: Uint16Array.of(0x3f80, 0xc049) }),
    ]).toEqual([1, -3.140625]);
    expect([...toFloat32({ dtype: "I64", shape: [1], data: BigInt64Array.of(-5n) })]).toEqual([-5]);
  });
});

describe("a hostile or damaged file gets a message that names it", () => {
  const f32 = (offsets: string, shape = "[2]") =>
    `{"dtype":"F32","shape":${shape},"data_offsets":${offsets}}`;
  const data = new Uint8Array(16);
  test.each<[string, Uint8Array, RegExp]>([
    ["nothing", new Uint8Array(0), /0 bytes, too few/],
    ["five bytes", new Uint8Array(5), /5 bytes, too few/],
    ["a header beyond the file", file("{}", data, 500n), /claims 500 bytes, and the file has 26/],
    ["a huge header", file("{}", data, 2n ** 63n), /at most 100000000/],
    ["a header of -1", file("{}", data, 2n ** 64n - 1n), /at most 100000000/],
    ["an empty header", file("", data), /claims 0 bytes/],
    ["no JSON", file("{]"), /not valid JSON: expected a string at character 1/],
    ["text after the end", file("{} x"), /something follows the end/],
    ["an unfinished string", file('{"a'), /a string without its end/],
    ["deep nesting", file(`{"a":${"[".repeat(100)}`), /deeper than 64/],
    ["no UTF-8", file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), /not valid UTF-8/],
    ["a list", file("[]"), /not a JSON object/],
    ["a name twice", file(`{"a":${f32("[0,8]")},"a":${f32("[8,16]")}}`, data), /"a" comes twice/],
    [
      "an overlap",
      file(`{"a":${f32("[0,8]")},"b":${f32("[4,12]")}}`, data),
      /"b" starts at byte 4 and overlaps/,
    ],
    [
      "a hole",
      file(`{"a":${f32("[0,8]")},"b":${f32("[12,20]")}}`, data),
      /"b" starts at byte 12 and leaves a hole/,
    ],
    ["bytes left over", file(`{"a":${f32("[0,8]")}}`, data), /take 8 bytes, and 16 follow/],
    [
      "offsets past the end",
      file(`{"a":${f32("[0,80]", "[20]")}}`, data),
      /take 80 bytes, and 16 follow/,
    ],
    ["negative offsets", file(`{"a":${f32("[-8,0]")}}`, data), /not lists of whole numbers/],
    [
      "a fractional size",
      file(`{"a":${f32("[0,8]", "[1.5]")}}`, data),
      /not lists of whole numbers/,
    ],
    [
      "an overflowing shape",
      file(`{"a":${f32("[0,8]", "[4294967296,4294967296]")}}`, data),
      /needs/,
    ],
    ["the wrong size", file(`{"a":${f32("[0,16]")}}`, data), /needs 8 bytes and has 16/],
    [
      "an unknown dtype",
      file('{"a":{"dtype":"F7","shape":[],"data_offsets":[0,0]}}'),
      /dtype "F7"/,
    ],
    [
      "a dtype from Object",
      file('{"a":{"dtype":"toString","shape":[],"data_offsets":[0,0]}}'),
      /dtype "toString"/,
    ],
    ["no description", file('{"a":1}'), /not described by an object/],
    ["metadata that is no text", file('{"__metadata__":{"a":1}}'), /no text under "a"/],
  ])("%s", async (name, bytes, message) => {
    const where = join(folder, "hostile.safetensors");
    expect(() => decodeSafetensors(bytes, where)).toThrow(RunError);
    expect(() => decodeSafetensors(bytes, where)).toThrow(message);
    expect(() => decodeSafetensors(bytes, where)).toThrow(where);
    await writeFile(where, bytes);
    await expect(readSafetensors(where), name).rejects.toThrow(message);
  });

  test("random bytes and mutated files never raise anything else", () => {
    const survives = (bytes: Uint8Array) => {
      try {
        decodeSafetensors(bytes, "fuzz");
      } catch (error) {
        expect(error).toBeInstanceOf(RunError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), survives), { numRuns: 1000 });
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 80 }), (text) => survives(file(text))),
      { numRuns: 1000 },
    );
    const edits = fc.array(
      fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(255)),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    const mutated = fc.property(contents, edits, fc.nat(400), (given, changes, cut) => {
      const bytes = concat(encodeSafetensors(given));
      for (const [at, byte] of changes) bytes[Math.floor(at * bytes.length)] = byte;
      survives(bytes);
      survives(bytes.subarray(0, cut));
    });
    fc.assert(mutated, { numRuns: 1000 });
  });
});
