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

function messageOf(error: unknown): string {
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
  return new BrokerStartError(code, `${logDir} cannot be opened: ${messageOf(error)}`, error);
}

export function listenerError(error: unknown, listeners: string): BrokerStartError {
  return new BrokerStartError('listener-unusable', `${listeners} cannot be bound: ${messageOf(error)}`, error);
}
