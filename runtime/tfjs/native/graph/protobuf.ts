/** As much of Protocol Buffers' wire format as a TensorFlow graph needs: fields as bytes, joined to messages. */

export type Field = Buffer;

export const message = (...fields: readonly (Field | readonly Field[])[]): Buffer =>
  Buffer.concat(fields.flat());

/** A varint: integers, booleans, enums. */
export const integer = (field: number, value: number | bigint): Field =>
  Buffer.from([...varint(field << 3), ...varint(value)]);

/** A message, a string or bytes. */
export function bytes(field: number, value: Uint8Array | string): Field {
  const content = typeof value === "string" ? Buffer.from(value) : value;
  return Buffer.concat([
    Buffer.from([...varint((field << 3) | 2), ...varint(content.length)]),
    content,
  ]);
}

export function float(field: number, value: number): Field {
  const content = Buffer.alloc(4);
  content.writeFloatLE(value);
  return Buffer.concat([Buffer.from(varint((field << 3) | 5)), content]);
}

function varint(value: number | bigint): number[] {
  const result: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value)); // negative numbers are 64 bits long
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    result.push(rest === 0n ? low : low | 128);
  } while (rest !== 0n);
  return result;
}
