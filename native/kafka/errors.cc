#include "kafka/errors.h"

namespace sluice::kafka {

const char* ErrorName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnknownServerError: return "UNKNOWN_SERVER_ERROR";
    case ErrorCode::kNone: return "NONE";
    case ErrorCode::kOffsetOutOfRange: return "OFFSET_OUT_OF_RANGE";
    case ErrorCode::kCorruptMessage: return "CORRUPT_MESSAGE";
    case ErrorCode::kUnknownTopicOrPartition: return "UNKNOWN_TOPIC_OR_PARTITION";
    case ErrorCode::kNotLeaderOrFollower: return "NOT_LEADER_OR_FOLLOWER";
    case ErrorCode::kRequestTimedOut: return "REQUEST_TIMED_OUT";
    case ErrorCode::kMessageTooLarge: return "MESSAGE_TOO_LARGE";
    case ErrorCode::kInvalidTopic: return "INVALID_TOPIC_EXCEPTION";
    case ErrorCode::kRecordListTooLarge: return "RECORD_LIST_TOO_LARGE";
    case ErrorCode::kInvalidRequiredAcks: return "INVALID_REQUIRED_ACKS";
    case ErrorCode::kInvalidTimestamp: return "INVALID_TIMESTAMP";
    case ErrorCode::kInvalidRequest: return "INVALID_REQUEST";
    case ErrorCode::kOutOfOrderSequence: return "OUT_OF_ORDER_SEQUENCE_NUMBER";
    case ErrorCode::kInvalidProducerEpoch: return "INVALID_PRODUCER_EPOCH";
    case ErrorCode::kTransactionalIdAuthorizationFailed: return "TRANSACTIONAL_ID_AUTHORIZATION_FAILED";
    case ErrorCode::kKafkaStorageError: return "KAFKA_STORAGE_ERROR";
    case ErrorCode::kFetchSessionIdNotFound: return "FETCH_SESSION_ID_NOT_FOUND";
    case ErrorCode::kInvalidFetchSessionEpoch: return "INVALID_FETCH_SESSION_EPOCH";
    case ErrorCode::kFencedLeaderEpoch: return "FENCED_LEADER_EPOCH";
    case ErrorCode::kUnknownLeaderEpoch: return "UNKNOWN_LEADER_EPOCH";
    case ErrorCode::kUnsupportedCompressionType: return "UNSUPPORTED_COMPRESSION_TYPE";
    case ErrorCode::kInvalidRecord: return "INVALID_RECORD";
    case ErrorCode::kUnknownTopicId: return "UNKNOWN_TOPIC_ID";
    case ErrorCode::kFetchSessionTopicIdError: return "FETCH_SESSION_TOPIC_ID_ERROR";
  }
  return "?";
}

ErrorCode ErrorOf(Code code) {
  switch (code) {
    case Code::kOk: return ErrorCode::kNone;
    case Code::kIo:
    case Code::kNoSpace:  // retriable: the disk may be given room
    case Code::kNoFiles:
    case Code::kOffline:
    case Code::kLocked:
    case Code::kForeign: return ErrorCode::kKafkaStorageError;
    case Code::kClosed: return ErrorCode::kNotLeaderOrFollower;  // retriable: the log is closing, a client looks for it anew
    case Code::kNotFound: return ErrorCode::kUnknownTopicOrPartition;
    case Code::kCorrupt: return ErrorCode::kCorruptMessage;
    case Code::kOffsetOutOfRange: return ErrorCode::kOffsetOutOfRange;
    case Code::kTooLarge: return ErrorCode::kMessageTooLarge;
    case Code::kUnsupportedFormat: return ErrorCode::kUnsupportedCompressionType;
    case Code::kInvalidTimestamp: return ErrorCode::kInvalidTimestamp;
    case Code::kInvalidRecord: return ErrorCode::kInvalidRecord;
    case Code::kOutOfOrderSequence: return ErrorCode::kOutOfOrderSequence;
    case Code::kInvalidProducerEpoch: return ErrorCode::kInvalidProducerEpoch;
    case Code::kFencedLeaderEpoch: return ErrorCode::kFencedLeaderEpoch;
    case Code::kUnknownLeaderEpoch: return ErrorCode::kUnknownLeaderEpoch;
    case Code::kTimeout: return ErrorCode::kRequestTimedOut;
    case Code::kInvalid: return ErrorCode::kInvalidRequest;
    case Code::kExists:
    case Code::kWouldBlock:
    case Code::kBudget: return ErrorCode::kUnknownServerError;  // none of these leaves the engine
  }
  return ErrorCode::kUnknownServerError;
}

}  // namespace sluice::kafka
