/** FNV-1a, 64 bits, of a name's UTF-8 bytes: what tells one random stream from another. */

const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;

/** The hash of `name` as two unsigned 32-bit words, least significant first. */
export function hashName(name: string): readonly [number, number] {
  let hash = OFFSET_BASIS;
  for (const byte of new TextEncoder().encode(name)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME);
  }
  return [Number(hash & 0xffffffffn), Number(hash >> 32n)];
}
