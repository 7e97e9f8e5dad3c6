// Reads entries of a zip archive (a jar), so that tests need no program or package for it.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;

function readAt(fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  const count = readSync(fd, buffer, 0, length, position);
  if (count !== length) throw new Error(`zip: ${length} bytes wanted at ${position}, got ${count}`);
  return buffer;
}

/** The contents of every entry whose name the filter accepts. Archives beyond 4 GiB (zip64) are not read. */
export function readZip(path: string, filter: (name: string) => boolean): Map<string, Buffer> {
  const fd = openSync(path, 'r');
  try {
    const size = fstatSync(fd).size;
    const tail = readAt(fd, Math.max(0, size - 65_557), Math.min(size, 65_557));
    let end = tail.length - 22;
    while (end >= 0 && tail.readUInt32LE(end) !== END_OF_DIRECTORY) end--;
    if (end < 0) throw new Error(`zip: ${path} has no directory`);
    const count = tail.readUInt16LE(end + 10);
    const directory = readAt(fd, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
    const entries = new Map<string, Buffer>();
    for (let i = 0, at = 0; i < count; i++) {
      if (directory.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new Error(`zip: ${path} has a broken directory`);
      const nameLength = directory.readUInt16LE(at + 28);
      const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
      if (filter(name)) entries.set(name, readEntry(fd, directory, at));
      at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    }
    return entries;
  } finally {
    closeSync(fd);
  }
}

function readEntry(fd: number, directory: Buffer, at: number): Buffer {
  const local = directory.readUInt32LE(at + 42);
  const header = readAt(fd, local, 30);
  if (header.readUInt32LE(0) !== LOCAL_HEADER) throw new Error('zip: broken local header');
  const start = local + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  const data = readAt(fd, start, directory.readUInt32LE(at + 20));
  const method = directory.readUInt16LE(at + 10);
  if (method === STORED) return data;
  const size = directory.readUInt32LE(at + 24);
  if (method === DEFLATED) return inflateRawSync(data, { maxOutputLength: Math.max(1, size) });
  throw new Error(`zip: compression method ${method}`);
}
