// The bare limit of one durable append at a time: one synced direct write of 4 KiB into space that was written before, on another thread, and the
// wake-ups to it and back. Nothing else.
import { closeSync, constants, fsyncSync, openSync, write, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const BLOCK = 4096;
const FILE = 32 << 20;
const SMALLEST_STEP = 16;

const writeAsync = promisify(write) as (fd: number, buffer: Buffer, offset: number, length: number, position: number) => Promise<unknown>;

/** A block that direct I/O accepts: where in memory it may begin is the kernel's to say. */
function alignedBlock(fd: number): Buffer {
  const memory = Buffer.alloc(1 << 20, 1);
  for (let at = 0; at <= BLOCK; at += SMALLEST_STEP) {
    const block = memory.subarray(at, at + BLOCK);
    try {
      writeSync(fd, block, 0, BLOCK, 0);
      return block;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
    }
  }
  throw new Error('direct I/O takes no block of ours');
}

export class JournalWrites {
  readonly #fd: number;
  readonly #block: Buffer;
  #at = 0;

  constructor(directory: string) {
    const path = join(directory, 'journal');
    const plain = openSync(path, 'w');
    const zeros = Buffer.alloc(1 << 20);
    for (let at = 0; at < FILE; at += zeros.length) writeSync(plain, zeros);
    fsyncSync(plain);
    closeSync(plain);
    this.#fd = openSync(path, constants.O_WRONLY | constants.O_DIRECT | constants.O_DSYNC);
    this.#block = alignedBlock(this.#fd);
  }

  write(): Promise<unknown> {
    const position = this.#at;
    this.#at = (this.#at + BLOCK) % FILE;
    return writeAsync(this.#fd, this.#block, 0, BLOCK, position);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
