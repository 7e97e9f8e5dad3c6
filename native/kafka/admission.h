// Who may connect: max.connections and max.connection.creation.rate make newcomers wait in the kernel's queue, max.connections.per.ip with its
// overrides turns them away, as in Kafka.
// Thread: reactor.
// Owns: nothing but counts.
// After error: an address at its limit is not counted.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

namespace sluice::kafka {

struct PlaneConfig;

class Admission {
 public:
  void Configure(const PlaneConfig& config);
  // False: the address has all it may have.
  bool Enter(const std::string& host, int64_t now_us);
  void Leave(const std::string& host);
  bool IsOpen(int64_t now_us) const { return total_ < max_ && (now_us / kSecondUs != second_ || accepted_ < rate_); }
  // When IsOpen may change by itself; 0: it does not.
  int64_t OpensInUs(int64_t now_us) const;
  int64_t total() const { return total_; }

 private:
  static constexpr int64_t kSecondUs = 1000000;
  int32_t LimitOf(const std::string& host) const;

  int64_t max_ = INT32_MAX;
  int32_t per_host_ = INT32_MAX;
  int64_t rate_ = INT32_MAX;
  std::unordered_map<std::string, int32_t> overrides_;
  std::unordered_map<std::string, int32_t> hosts_;
  int64_t total_ = 0;
  int64_t second_ = -1;  // in which accepted_ were accepted
  int64_t accepted_ = 0;
};

}  // namespace sluice::kafka
