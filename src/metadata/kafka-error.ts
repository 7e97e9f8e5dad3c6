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

/** What Kafka tells a client of these codes where it has nothing to say of the case. */
const KAFKAS_WORDS = {
  UNKNOWN_TOPIC_OR_PARTITION: 'This server does not host this topic-partition.',
  UNKNOWN_TOPIC_ID: 'This server does not host this topic ID.',
  INVALID_REQUEST: 'This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. ' +
    'See the broker logs for more details.',
} as const;

/** An error with the words that Kafka has for its code. */
export function plainError(name: keyof typeof KAFKAS_WORDS): KafkaError {
  return new KafkaError(name, KAFKAS_WORDS[name]);
}
