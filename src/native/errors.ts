import { type NativeErrorInfo } from './binding.js';

/** An error of the engine. `code` is stable; the message is for people. */
export class NativeError extends Error {
  readonly code: string;
  constructor(info: NativeErrorInfo) {
    super(info.message);
    this.name = 'NativeError';
    this.code = info.code;
  }
}
