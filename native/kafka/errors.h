// Kafka's error codes as far as the data plane answers them, and the one mapping from Code.
// Thread: any. Owns: nothing. After error: constants.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace sluice::kafka {

enum class ErrorCode : int16_t {
  kUnknownServerError = -1,
  kNone = 0,
  kOffsetOutOfRange = 1,
  kCorruptMessage = 2,
  kUnknownTopicOrPartition = 3,
  kNotLeaderOrFollower = 6,
  kRequestTimedOut = 7,
  kMessageTooLarge = 10,
  kInvalidTopic = 17,
  kRecordListTooLarge = 18,
  kInvalidRequiredAcks = 21,
  kInvalidTimestamp = 32,
  kInvalidRequest = 42,
  kOutOfOrderSequence = 45,
  kInvalidProducerEpoch = 47,
  kTransactionalIdAuthorizationFailed = 53,
  kKafkaStorageError = 56,
  kFetchSessionIdNotFound = 70,
  kInvalidFetchSessionEpoch = 71,
  kFencedLeaderEpoch = 74,
  kUnknownLeaderEpoch = 75,
  kUnsupportedCompressionType = 76,
  kInvalidRecord = 87,
  kUnknownTopicId = 100,
  kFetchSessionTopicIdError = 106,
};

const char* ErrorName(ErrorCode code);

// What a failure of the log or of validation is called in an answer to Produce or Fetch.
ErrorCode ErrorOf(Code code);

}  // namespace sluice::kafka
