import { MetadataError } from '../metadata/apply.js';
import { nativeCode } from '../native/errors.js';
import { QuorumStateError } from './quorum-state.js';

/** Why a start failed, for programs. */
export type StartFailure =
  /** Another process has the directory open. */
  | 'directory-locked'
  /** The directory is of another cluster or node, or something else has written in it. */
  | 'directory-foreign'
  /** The directory cannot be read or written. */
  | 'directory-unusable'
  /** What is in the directory is damaged or not understood. */
  | 'directory-damaged'
  /** A listener cannot be bound. */
  | 'listener-unusable'
  /** A setting is invalid or asks for what is not served. */
  | 'configuration-invalid'
  | 'internal';

/** The broker cannot start. The message is one line. */
export class BrokerStartError extends Error {
  override readonly name = 'BrokerStartError';
  readonly code: StartFailure;

  constructor(code: StartFailure, message: string, cause?: unknown) {
    super(message.replace(/\s*\n\s*/g, ' '), { cause });
    this.code = code;
  }
}

const FAILURES: Readonly<Record<string, StartFailure>> = {
  locked: 'directory-locked',
  foreign: 'directory-foreign',
  corrupt: 'directory-damaged',
  unsupported_format: 'directory-damaged',
};

/** What to do about it, by what the system said; the engine's messages end with that in brackets. */
const DIRECTORY_REMEDIES: Readonly<Record<string, string>> = {
  EACCES: 'give this user the right to write there, or name another directory in log.dirs',
  EPERM: 'give this user the right to write there, or name another directory in log.dirs',
  EROFS: 'its file system is read-only: name another directory in log.dirs',
  ENOTDIR: 'log.dirs must name a directory',
  ENAMETOOLONG: 'name a shorter path in log.dirs',
  ENOSPC: 'make room there, or name another directory in log.dirs',
  EDQUOT: 'make room there, or name another directory in log.dirs',
  EMFILE: 'let this process open more files (ulimit -n)',
  ENFILE: 'the machine has no open files left (sysctl fs.file-max)',
};
const LISTENER_REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'stop what listens there, or name another port in listeners',
  EACCES: 'ports below 1024 need the capability CAP_NET_BIND_SERVICE: name a higher one in listeners',
  EADDRNOTAVAIL: 'listeners must name an address of this machine',
  EINVAL: 'listeners must name an address of this machine',
  EAFNOSUPPORT: 'this machine does not have that kind of address: name another one in listeners',
  EMFILE: 'let this process open more files (ulimit -n)',
};

function withRemedy(message: string, remedies: Readonly<Record<string, string>>): string {
  const remedy = remedies[/\((E[A-Z]+)\)$/.exec(message)?.[1] ?? ''];
  return remedy === undefined ? message : `${message}; ${remedy}`;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An error of opening or reading the directory. */
export function directoryError(error: unknown, logDir: string): BrokerStartError {
  if (error instanceof BrokerStartError) return error;
  if (error instanceof MetadataError || error instanceof QuorumStateError) {
    return new BrokerStartError('directory-damaged', `${logDir} cannot be served: ${error.message}`, error);
  }
  const native = nativeCode(error);
  const code = (native === undefined ? undefined : FAILURES[native]) ?? 'directory-unusable';
  return new BrokerStartError(code, withRemedy(`${logDir} cannot be opened: ${messageOf(error)}`, DIRECTORY_REMEDIES), error);
}

export function listenerError(error: unknown, listeners: string): BrokerStartError {
  return new BrokerStartError('listener-unusable', withRemedy(`${listeners} cannot be bound: ${messageOf(error)}`, LISTENER_REMEDIES), error);
}
