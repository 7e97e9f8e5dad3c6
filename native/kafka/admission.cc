#include "kafka/admission.h"

#include "base/assert.h"
#include "kafka/data_plane.h"

namespace sluice::kafka {

void Admission::Configure(const PlaneConfig& config) {
  max_ = config.max_connections;
  per_host_ = config.max_connections_per_ip;
  rate_ = config.max_connection_rate;
  overrides_.clear();
  for (const HostLimit& limit : config.per_ip_overrides) overrides_[limit.host] = limit.connections;
}

int32_t Admission::LimitOf(const std::string& host) const {
  auto it = overrides_.find(host);
  return it == overrides_.end() ? per_host_ : it->second;
}

bool Admission::Enter(const std::string& host, int64_t now_us) {
  if (now_us / kSecondUs != second_) {
    second_ = now_us / kSecondUs;
    accepted_ = 0;
  }
  ++accepted_;  // also one that is turned away was accepted
  int32_t& here = hosts_[host];
  if (here >= LimitOf(host)) {
    if (here == 0) hosts_.erase(host);
    return false;
  }
  ++here;
  ++total_;
  return true;
}

void Admission::Leave(const std::string& host) {
  auto it = hosts_.find(host);
  SLUICE_ASSERT(it != hosts_.end());
  if (--it->second == 0) hosts_.erase(it);
  --total_;
}

int64_t Admission::OpensInUs(int64_t now_us) const {
  if (total_ >= max_ || IsOpen(now_us)) return 0;
  return (second_ + 1) * kSecondUs - now_us;
}

}  // namespace sluice::kafka
