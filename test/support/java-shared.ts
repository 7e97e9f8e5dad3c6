// What the JVM has made of Kafka's classes, kept in .cache for all that start later: that is most of the work of a start.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { javaCommand } from './java.js';
import { kafkaLibs, repositoryRoot } from './paths.js';

/** Programs that load much the same. Their class path begins with the jars of `libs`, or the JVM passes the archive over. */
const libsOf = { broker: 'broker', tools: 'tools', 'dump-log': 'tools' } as const;

export type SharedKind = keyof typeof libsOf;

/** Under way in this process: one is enough. */
const made = new Set<string>();

function archiveOf(kind: SharedKind): string {
  const hash = createHash('sha256').update(`${javaCommand()} ${kafkaLibs(libsOf[kind])}`).digest('hex').slice(0, 16);
  return join(repositoryRoot, '.cache', 'java-shared', `${kind}-${hash}.jsa`);
}

/** Flags for who only uses what is there. */
export function sharedClasses(kind: SharedKind): string[] {
  const archive = archiveOf(kind);
  return existsSync(archive) ? ['-Xlog:disable', `-XX:SharedArchiveFile=${archive}`] : [];
}

/** Flags for a program that makes the archive, as it ends, when there is none; `ended` is told how it ended, null: by its own doing. */
export function keptClasses(kind: SharedKind): { readonly flags: string[]; readonly ended: (signal: NodeJS.Signals | null) => void } {
  const archive = archiveOf(kind);
  if (existsSync(archive) || made.has(archive)) return { flags: sharedClasses(kind), ended: () => {} };
  made.add(archive);
  mkdirSync(join(archive, '..'), { recursive: true });
  const partial = `${archive}.partial-${process.pid}`;
  return {
    flags: ['-Xlog:disable', `-XX:ArchiveClassesAtExit=${partial}`],
    ended: (signal) => {
      made.delete(archive);
      if (signal === null && existsSync(partial)) renameSync(partial, archive);
      else rmSync(partial, { force: true });
    },
  };
}
