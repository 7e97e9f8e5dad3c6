import { type KafkaErrorName, errorName, errorOfCode, kafkaErrors } from '../protocol/errors.js';

/** An error that a client is told about, with Kafka's code. Everything else that is thrown is a bug of ours. */
export class KafkaError extends Error {
  override readonly name = 'KafkaError';
  readonly code: number;

  constructor(name: KafkaErrorName, message?: string) {
    super(message ?? kafkaErrors[name].message);
    this.code = kafkaErrors[name].code;
  }

  static ofCode(code: number, message?: string): KafkaError {
    const entry = errorOfCode(code);
    return entry === undefined
      ? new KafkaError('UNKNOWN_SERVER_ERROR', message ?? errorName(code))
      : new KafkaError(entry.name, message);
  }
}
