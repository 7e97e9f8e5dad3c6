// The header in front of every request, and which of its two forms a request has.
//
//   header v1 = apiKey:i16 apiVersion:i16 correlationId:i32 clientId:nullableString
//   header v2 = the same, then tagged fields      (where the request's version is flexible; clientId keeps its 2-byte length)
//
// Thread: any. Owns: nothing; client_id is a view. After error: the header is unspecified.
#pragma once

#include <cstdint>
#include <string_view>

#include "kafka/wire_reader.h"

namespace sluice::kafka {

inline constexpr int16_t kProduceKey = 0;
inline constexpr int16_t kFetchKey = 1;
inline constexpr int16_t kApiVersionsKey = 18;

struct RequestHeader {
  int16_t api_key = 0;
  int16_t api_version = 0;
  int32_t correlation_id = 0;
  bool has_client_id = false;
  std::string_view client_id;
};

// First flexible version of a request; INT16_MAX where none is.
int16_t FirstFlexibleVersion(int16_t api_key);

// Reads the header and leaves the reader at the body. False: cut short or lengths that lie.
bool ParseRequestHeader(WireReader& reader, RequestHeader* out);

}  // namespace sluice::kafka
