import { type KafkaErrorName, kafkaErrors } from '../protocol/errors.js';

/** An error that a client is told about, with Kafka's code. Everything else that is thrown is a bug of ours. */
export class KafkaError extends Error {
  override readonly name = 'KafkaError';
  readonly code: number;
  /** What the client is told beside the code. Where Kafka says nothing, neither does this broker. */
  readonly told: string | null;

  constructor(name: KafkaErrorName, message?: string) {
    super(message ?? kafkaErrors[name].message);
    this.code = kafkaErrors[name].code;
    this.told = message ?? null;
  }
}
