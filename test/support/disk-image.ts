// File systems in files, which root can mount where there are loop devices.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, truncateSync } from 'node:fs';

const MIB = 1 << 20;

/** How each kind is made, and how large it is when it is to be small; XFS has a least size of 300 MiB. */
const kinds = {
  ext4: { smallMib: 256, make: ['mkfs.ext4', '-q', '-F', '-m', '0'], package: 'e2fsprogs' },
  xfs: { smallMib: 320, make: ['mkfs.xfs', '-q', '-f'], package: 'xfsprogs' },
} as const;

export type DiskKind = keyof typeof kinds;

/** The reason why such a disk cannot be had here. */
export class NoSmallDisk extends Error {}

/** A file system in a new file. Throws NoSmallDisk. */
export function makeImage(kind: DiskKind, image: string, mib: number = kinds[kind].smallMib, options: readonly string[] = []): void {
  const { make: [program, ...args], package: name } = kinds[kind];
  closeSync(openSync(image, 'w'));
  truncateSync(image, mib * MIB);
  const made = spawnSync(program, [...args, ...options, image], { encoding: 'utf8' });
  if (made.error !== undefined) throw new NoSmallDisk(`${program} is not installed (apt-get install -y ${name})`);
  if (made.status !== 0) throw new NoSmallDisk(`${program}: ${made.stderr}`);
}
