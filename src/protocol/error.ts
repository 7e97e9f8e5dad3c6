export type ProtocolErrorKind =
  /** The bytes end before the value does. */
  | 'truncated'
  /** The bytes are there but cannot be what they claim to be. */
  | 'malformed'
  /** The version is not one of the message's, or a field that was set cannot be written in it. */
  | 'unsupported-version'
  /** A value handed to the encoder does not fit its field. */
  | 'invalid-value';

/** The one error that decoding and encoding throw, whatever the bytes or values are. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly kind: ProtocolErrorKind;
  /** What was wrong, without the path. */
  readonly reason: string;
  #path: string;

  constructor(kind: ProtocolErrorKind, reason: string, path = '') {
    super(path === '' ? reason : `${path}: ${reason}`);
    this.kind = kind;
    this.reason = reason;
    this.#path = path;
  }

  /** Where in the message it went wrong, such as `topics[2].partitions[0].records`. Empty outside of messages. */
  get path(): string {
    return this.#path;
  }

  /** Called while the error travels outwards: puts the name of the enclosing field in front of the path. */
  enclose(parent: string): this {
    if (this.#path === '') this.#path = parent;
    else this.#path = this.#path.startsWith('[') ? `${parent}${this.#path}` : `${parent}.${this.#path}`;
    this.message = `${this.#path}: ${this.reason}`;
    return this;
  }
}
