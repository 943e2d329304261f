/** Byte encodings of the WebAssembly binary format (core specification, chapter 5). */

/** Instruction bytes as a tree: subexpressions are shared by reference and flattened once at the end. */
export type Code = readonly (number | Code)[];

export function flatten(code: Code, into: number[] = []): number[] {
  for (const part of code) {
    if (typeof part === "number") into.push(part);
    else flatten(part, into);
  }
  return into;
}

/** LEB128 of an unsigned 32-bit integer. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

/** LEB128 of a signed 32-bit integer. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

export function float32(value: number): number[] {
  return [...new Uint8Array(new Float32Array([value]).buffer)];
}

export function float64(value: number): number[] {
  return [...new Uint8Array(new Float64Array([value]).buffer)];
}

export function name(text: string): number[] {
  const bytes = [...new TextEncoder().encode(text)];
  return [...unsigned(bytes.length), ...bytes];
}

/** The format's `vec`: a count, then the items. */
export function list(items: readonly Code[]): Code {
  return [unsigned(items.length), items];
}

export function section(id: number, content: Code): number[] {
  const bytes = flatten(content);
  return [id, ...unsigned(bytes.length), ...bytes];
}
