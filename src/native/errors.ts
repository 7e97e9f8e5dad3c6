import { type NativeErrorInfo } from './binding.js';

/** An error of the engine. `code` is stable (the names in native/base/result.h); the message is for people. */
export class NativeError extends Error {
  readonly code: string;
  constructor(info: NativeErrorInfo) {
    super(info.message);
    this.name = 'NativeError';
    this.code = info.code;
  }
}

/** The engine's code of an error, whether it came as an outcome or as the addon's own rejection; undefined for any other error. */
export function nativeCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? code : undefined;
}
