// What each codec's file gives to codec.cc. Not for others.
// Thread: as codec.h. Owns: each source its library context. After error: Start makes it usable again.
#pragma once

#include <memory>

#include "batch/codec.h"

namespace sluice::batch::codec_detail {

// One compressed stream being read. Start keeps `in`; Read fills at least a byte unless the stream is over, then 0.
class Source {
 public:
  virtual ~Source() = default;
  virtual void Start(Bytes in) = 0;
  virtual Status Read(uint8_t* out, size_t room, size_t* filled) = 0;
};
std::unique_ptr<Source> NewGzipSource();
std::unique_ptr<Source> NewSnappySource();
std::unique_ptr<Source> NewLz4Source();
std::unique_ptr<Source> NewZstdSource();

// Writes one whole stream at the end of *out. `level` is in the codec's range.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Status Write(int level, Bytes in, Buffer* out) = 0;
};
std::unique_ptr<Sink> NewGzipSink();
std::unique_ptr<Sink> NewSnappySink();
std::unique_ptr<Sink> NewLz4Sink();
std::unique_ptr<Sink> NewZstdSink();

inline Status Bad(const char* what) { return Status::Error(Code::kCorrupt, what); }

}  // namespace sluice::batch::codec_detail
