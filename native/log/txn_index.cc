#include "log/txn_index.h"

#include "base/endian.h"
#include "log/log_format.h"

namespace sluice::log {
namespace {
constexpr int16_t kTxnIndexVersion = 0;
}  // namespace

void EncodeAbortedTxn(const AbortedTxn& txn, std::vector<uint8_t>* out) {
  uint8_t entry[kAbortedTxnBytes];
  StoreI16(entry, kTxnIndexVersion);
  StoreI64(entry + 2, txn.producer.v);
  StoreI64(entry + 10, txn.first.v);
  StoreI64(entry + 18, txn.last.v);
  StoreI64(entry + 26, txn.last_stable.v);
  out->insert(out->end(), entry, entry + sizeof entry);
}

Result<std::vector<AbortedTxn>> DecodeTxnIndex(Bytes bytes, Offset segment_base) {
  std::vector<AbortedTxn> txns;
  txns.reserve(bytes.size() / kAbortedTxnBytes);
  for (; bytes.size() >= kAbortedTxnBytes; bytes = bytes.subspan(kAbortedTxnBytes)) {
    const uint8_t* p = bytes.data();
    AbortedTxn txn{ProducerId(LoadI64(p + 2)), Offset(LoadI64(p + 10)), Offset(LoadI64(p + 18)), Offset(LoadI64(p + 26))};
    if (LoadI16(p) != kTxnIndexVersion) return Status::Error(Code::kCorrupt, "transaction index: version " + std::to_string(LoadI16(p)));
    if (txn.last < segment_base || txn.last - segment_base > kMaxRelativeOffset || txn.first.v < 0 || txn.first > txn.last ||
        txn.last_stable > txn.last + 1 || (!txns.empty() && txn.last <= txns.back().last)) {
      return Status::Error(Code::kCorrupt, "transaction index: offsets out of order");
    }
    txns.push_back(txn);
  }
  return txns;
}

}  // namespace sluice::log
