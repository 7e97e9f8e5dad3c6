// Numbers of the errors that the coordinator answers with, and what becomes of errors of the log.
import { KafkaError } from '../metadata/kafka-error.js';
import { errorCode } from '../protocol/errors.js';

export const NONE = 0;

/** What members are told when their group could not be written: errors of the log mean nothing to them. */
export function codeForFailedAppend(error: unknown): number {
  if (!(error instanceof KafkaError)) return errorCode('UNKNOWN_SERVER_ERROR');
  switch (error.code) {
    case errorCode('UNKNOWN_TOPIC_OR_PARTITION'):
    case errorCode('NOT_ENOUGH_REPLICAS'):
    case errorCode('REQUEST_TIMED_OUT'):
      return errorCode('COORDINATOR_NOT_AVAILABLE');
    case errorCode('NOT_LEADER_OR_FOLLOWER'):
    case errorCode('KAFKA_STORAGE_ERROR'):
      return errorCode('NOT_COORDINATOR');
    case errorCode('MESSAGE_TOO_LARGE'):
    case errorCode('RECORD_LIST_TOO_LARGE'):
    case errorCode('INVALID_FETCH_SIZE'):
      return errorCode('UNKNOWN_SERVER_ERROR');
    default:
      return error.code;
  }
}
