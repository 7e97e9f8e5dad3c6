import { nativeCode } from '../native/errors.js';

/**
 * What can go wrong with an embedded log, by stable code. The engine's own names (left) never reach a program: a code here keeps
 * its meaning across versions.
 */
export const LOG_ERRORS = {
  ERR_SLUICE_LOCKED: { engine: ['locked'], meaning: 'Another engine, in this process or another, holds the directory.' },
  ERR_SLUICE_FOREIGN: { engine: ['foreign'], meaning: 'The directory belongs to a broker or another node, or something else wrote to it.' },
  ERR_SLUICE_CORRUPT: { engine: ['corrupt'], meaning: 'Bytes on disk fail their check; the message names file and position.' },
  ERR_SLUICE_NO_SPACE: { engine: ['no_space'], meaning: 'The disk is full. Nothing was lost; append again when there is room.' },
  ERR_SLUICE_IO: { engine: ['io', 'no_files'], meaning: 'A system call failed; the message says which.' },
  ERR_SLUICE_OFFLINE: { engine: ['offline'], meaning: 'An earlier failure of the disk took the log offline; open it again.' },
  ERR_SLUICE_CLOSED: { engine: ['closed', 'not_found'], meaning: 'The log was closed, or never opened.' },
  ERR_SLUICE_OFFSET_OUT_OF_RANGE: { engine: ['offset_out_of_range'], meaning: 'The offset lies below the start or beyond the end.' },
  ERR_SLUICE_TOO_LARGE: { engine: ['too_large'], meaning: 'The batch is larger than maxBatchBytes or segmentBytes.' },
  ERR_SLUICE_INVALID: {
    engine: ['invalid', 'invalid_record', 'invalid_timestamp', 'unsupported_format', 'exists', 'out_of_order_sequence', 'invalid_producer_epoch'],
    meaning: 'An argument, option or batch can never be right; the message says why.',
  },
  ERR_SLUICE_ADDON: { engine: ['ERR_SLUICE_ADDON'], meaning: 'The native addon is not built or cannot be loaded; the message names the command to run.' },
  ERR_SLUICE_BUSY: { engine: [], meaning: 'As many bytes as maxPendingBytes wait to be written: await earlier appends, then append again.' },
  ERR_SLUICE_TIMEOUT: { engine: ['timeout'], meaning: 'What was waited for did not come in time.' },
  ERR_SLUICE_INTERNAL: { engine: [], meaning: 'Anything else: a bug of ours.' },
} as const;

export type LogErrorCode = keyof typeof LOG_ERRORS;

export class LogError extends Error {
  readonly code: LogErrorCode;
  constructor(code: LogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LogError';
    this.code = code;
  }
}

const CODE_OF_ENGINE = new Map<string, LogErrorCode>(
  Object.entries(LOG_ERRORS).flatMap(([code, row]) => row.engine.map((name) => [name, code as LogErrorCode] as const)),
);

/** The engine's error as an embedded program sees it. TypeErrors of arguments stay TypeErrors, with a code. */
export function toLogError(error: unknown): Error {
  if (error instanceof LogError) return error;
  if (error instanceof TypeError) {
    const code: LogErrorCode = 'ERR_SLUICE_INVALID';
    return Object.assign(error, { code });
  }
  const message = error instanceof Error ? error.message : String(error);
  const code = CODE_OF_ENGINE.get(nativeCode(error) ?? '') ?? 'ERR_SLUICE_INTERNAL';
  return new LogError(code, message, { cause: error });
}
