/** Safetensors files on disk: the header is read and checked first, so a hostile file allocates nothing. */

import { open, type FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { onFile, writeAtomically } from "../run/files.node.js";
import { corrupt, headerLength, parseHeader, type Header } from "./header.js";
import type { Tensor } from "./dtypes.js";
import { encodeSafetensors, tensorFrom, type Safetensors } from "./safetensors.js";

const READ_LIMIT = 1 << 30; // bytes a single read call may ask for

/** Writes the file whole or not at all. @throws RunError `disk-full`, `file-access` */
export function writeSafetensors(path: string, contents: Safetensors): Promise<void> {
  return writeAtomically(path, encodeSafetensors(contents));
}

/** A file's header alone: names, shapes and metadata. @throws RunError `checkpoint-corrupt`, `file-access` */
export function readSafetensorsHeader(path: string): Promise<Header> {
  return withFile(path, async (file) => (await readHeader(file, path)).header);
}

/** A file's tensors with the CRC-32 of all their bytes. @throws RunError `checkpoint-corrupt`, `file-access` */
export function readSafetensors(path: string): Promise<Safetensors & { readonly crc: number }> {
  return withFile(path, async (file) => {
    const { header, start } = await readHeader(file, path);
    const tensors = new Map<string, Tensor>();
    let crc = 0;
    for (const entry of header.tensors) {
      const bytes = await readExactly(file, start + entry.begin, entry.end - entry.begin, path);
      crc = crc32(bytes, crc);
      tensors.set(entry.name, tensorFrom(entry, bytes.buffer));
    }
    return { tensors, metadata: header.metadata, crc };
  });
}

function withFile<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  return onFile("read the file", path, async () => {
    const file = await open(path, "r");
    try {
      return await work(file);
    } finally {
      await file.close();
    }
  });
}

async function readHeader(
  file: FileHandle,
  path: string,
): Promise<{ header: Header; start: number }> {
  const { size } = await file.stat();
  const length = headerLength(await readExactly(file, 0, Math.min(8, size), path), size, path);
  const bytes = await readExactly(file, 8, length, path);
  return { header: parseHeader(bytes, size - 8 - length, path), start: 8 + length };
}

async function readExactly(
  file: FileHandle,
  from: number,
  length: number,
  path: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(
      bytes,
      filled,
      Math.min(READ_LIMIT, length - filled),
      from + filled,
    );
    if (bytesRead === 0)
      throw corrupt(path, `the file ends at byte ${from + filled}, before its tensors do`);
    filled += bytesRead;
  }
  return bytes;
}
