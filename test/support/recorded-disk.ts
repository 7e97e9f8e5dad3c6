// What scripts/test/record-disk.c has written down, replayed on a disk in memory that keeps apart what programs see and what a power cut would keep: of each
// file the pages that no sync has reached, of each directory, in order, the changes of names that none has. `test/native/support/sim_disk.h` does the same in C++.
import { lstatSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compiled } from './compiled.js';
import { type Random } from './random.js';

const PAGE = 4096;
const SECTOR = 512;

let library: string | undefined;

/** The library to preload, compiled once a process into the build folder. */
export function recorder(): string {
  return (library ??= compiled('record-disk', { suffix: '.so', flags: ['-shared', '-fPIC', '-ldl', '-lpthread'] }));
}

class FileNode {
  readonly isDirectory = false;
  data: Buffer = Buffer.alloc(0);
  size = 0;
  durable: Buffer = Buffer.alloc(0);
  durableSize = 0;
  readonly dirty = new Set<number>();

  write(position: number, bytes: Buffer, isDurable: boolean): void {
    const end = position + bytes.length;
    this.resize(Math.max(this.size, end));
    bytes.copy(this.data, position);
    for (let page = Math.floor(position / PAGE); page * PAGE < end; page += 1) {
      if (isDurable) this.#keep(page); else this.dirty.add(page);
    }
    if (isDurable) this.durableSize = Math.max(this.durableSize, end);
  }

  resize(size: number): void {
    if (size > this.data.length) this.data = grown(this.data, size);
    if (size < this.size) {
      this.data.fill(0, size, this.size);
      for (let page = Math.floor(size / PAGE); page * PAGE < this.size; page += 1) this.dirty.add(page);
    }
    this.size = size;
  }

  sync(): void {
    for (const page of this.dirty) this.#keep(page);
    this.durableSize = this.size;
  }

  /** One of the contents that a power cut may leave. */
  survivor(random: Random, keep: number): Buffer {
    const low = Math.min(this.size, this.durableSize);
    const size = random.pick([this.durableSize, this.size, low + random.below(Math.abs(this.size - this.durableSize) + 1)]);
    const content = Buffer.alloc(size);
    this.durable.copy(content, 0, 0, Math.min(size, this.durableSize));
    for (const page of [...this.dirty].sort((a, b) => a - b)) {
      const isTorn = random.chance(0.05);
      const isKept = random.chance(keep);
      for (let at = page * PAGE; at < Math.min(size, (page + 1) * PAGE); at += SECTOR) {
        if (isTorn ? random.chance(0.5) : isKept) this.data.copy(content, at, at, Math.min(size, at + SECTOR));
      }
    }
    return content;
  }

  #keep(page: number): void {
    if (this.durable.length < this.data.length) this.durable = grown(this.durable, this.data.length);
    this.data.copy(this.durable, page * PAGE, page * PAGE, (page + 1) * PAGE);
    this.dirty.delete(page);
  }
}

class DirectoryNode {
  readonly isDirectory = true;
  names = new Map<string, Node>();
  durable = new Map<string, Node>();
  pending: (readonly (readonly [string, Node | undefined])[])[] = [];

  /** A name that is given to nobody is taken away. */
  change(...names: (readonly [string, Node | undefined])[]): void {
    apply(this.names, names);
    this.pending.push(names);
  }

  sync(): void {
    this.durable = new Map(this.names);
    this.pending = [];
  }
}

type Node = FileNode | DirectoryNode;

function apply(names: Map<string, Node>, change: readonly (readonly [string, Node | undefined])[]): void {
  for (const [name, node] of change) if (node === undefined) names.delete(name); else names.set(name, node);
}

function grown(buffer: Buffer, size: number): Buffer {
  const larger = Buffer.alloc(Math.max(size, buffer.length * 2));
  buffer.copy(larger);
  return larger;
}

export interface Operation {
  readonly what: string;
  readonly inode: string;
  readonly position: number;
  readonly path: string;
  readonly other: string;
  readonly data: Buffer;
}

export function readRecord(path: string): Operation[] {
  const bytes = readFileSync(path);
  const operations: Operation[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0x0a, at);
    const [what, inode, position, length, name, other] = bytes.toString('utf8', at, end).split('\t') as [string, string, string, string, string, string];
    at = end + 1 + Number(length);
    operations.push({ what, inode, position: Number(position), path: name, other, data: bytes.subarray(end + 1, at) });
  }
  return operations;
}

/** A sync of such a file or directory is a lie: what a missing one comes to. */
export type Lie = (path: string) => boolean;

export class RecordedDisk {
  readonly #root: string;
  readonly #lies: Lie;
  readonly #top = new DirectoryNode();
  readonly #nodes = new Map<string, Node>();

  /** As the directory is now, all of it durable. */
  constructor(root: string, lies: Lie = () => false) {
    this.#root = root;
    this.#lies = lies;
    this.#take(root, this.#top);
  }

  replay({ what, inode, position, path, other, data }: Operation): void {
    const node = this.#nodes.get(inode);
    if (what === 'create' || what === 'mkdir') {
      const made = what === 'mkdir' ? new DirectoryNode() : new FileNode();
      this.#nodes.set(inode, made);
      const { folder, name } = this.#at(path);
      folder.change([name, made]);
    } else if (what === 'rename') {
      const from = this.#at(path);
      const to = this.#at(other);
      if (from.folder !== to.folder) throw new Error(`${path} moves to another directory`);
      from.folder.change([from.name, undefined], [to.name, from.folder.names.get(from.name)]);
    } else if (what === 'remove') {
      const { folder, name } = this.#at(path);
      folder.change([name, undefined]);
    } else if (what === 'syncfs') {
      for (const each of this.#nodes.values()) each.sync();
    } else if (node === undefined) {
      throw new Error(`${what} of inode ${inode}, which is not known`);
    } else if (what === 'sync' || what === 'syncdir') {
      if (!this.#lies(this.#pathOf(node))) node.sync();
    } else if (node.isDirectory) {
      throw new Error(`${what} of a directory`);
    } else if (what === 'write' || what === 'writesync') {
      node.write(position, data, what === 'writesync' && !this.#lies(this.#pathOf(node)));
    } else {
      node.resize(what === 'allocate' ? Math.max(node.size, position) : position);
    }
  }

  /** Writes one of the disks that a power cut may leave into a directory that is not there yet. */
  cut(random: Random, into: string): void {
    this.#survive(this.#top, into, random, random.pick([0, 0.5, 0.95, 1]));
  }

  #survive(directory: DirectoryNode, path: string, random: Random, keep: number): void {
    mkdirSync(path);
    const names = new Map(directory.durable);
    for (const change of directory.pending.slice(0, random.below(directory.pending.length + 1))) apply(names, change);
    for (const [name, node] of [...names].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (node.isDirectory) this.#survive(node, join(path, name), random, keep);
      else writeFileSync(join(path, name), node.survivor(random, keep));
    }
  }

  #take(path: string, directory: DirectoryNode): void {
    this.#nodes.set(String(lstatSync(path).ino), directory);
    for (const name of readdirSync(path)) {
      const below = join(path, name);
      const { ino } = lstatSync(below);
      if (lstatSync(below).isDirectory()) {
        const node = new DirectoryNode();
        directory.names.set(name, node);
        this.#take(below, node);
      } else {
        const node = new FileNode();
        node.write(0, readFileSync(below), true);
        directory.names.set(name, node);
        this.#nodes.set(String(ino), node);
      }
    }
    directory.sync();
  }

  #at(path: string): { readonly folder: DirectoryNode; readonly name: string } {
    const parts = path.slice(this.#root.length + 1).split('/');
    const name = parts.pop()!;
    let folder = this.#top;
    for (const part of parts) {
      const next = folder.names.get(part);
      if (next === undefined || !next.isDirectory) throw new Error(`${path}: there is no ${part}`);
      folder = next;
    }
    return { folder, name };
  }

  #pathOf(wanted: Node, from = this.#top, path = ''): string {
    for (const [name, node] of from.names) {
      if (node === wanted) return `${path}/${name}`;
      const found = node.isDirectory ? this.#pathOf(wanted, node, `${path}/${name}`) : '';
      if (found !== '') return found;
    }
    return '';
  }
}
