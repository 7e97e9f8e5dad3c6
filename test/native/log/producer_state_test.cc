// KIP-98's rules about epochs and sequences, and the snapshot file that Kafka reads.
#include "log/producer_state.h"

#include <algorithm>
#include <set>

#include "log/producer_snapshot.h"
#include "log_fixture.h"

namespace sluice::log {
namespace {

const std::string kGolden = std::string(__FILE__).substr(0, std::string(__FILE__).rfind('/')) + "/golden";

class ProducerStateTest : public ::testing::Test {
 protected:
  BatchHead Head(int32_t sequence, int records = 1, int16_t epoch = 0, int64_t producer = 1) {
    BatchHead head;
    head.base = Offset(next_);
    head.last_delta = records - 1;
    head.producer = ProducerId(producer);
    head.producer_epoch = ProducerEpoch(epoch);
    head.base_sequence = sequence;
    head.max_timestamp = TimestampMs(1000 + next_);
    return head;
  }
  // Ok, "dup <first offset>" or the name of the refusal; what is accepted is taken up.
  std::string Send(int32_t sequence, int records = 1, int16_t epoch = 0, int64_t producer = 1) {
    const BatchHead head = Head(sequence, records, epoch, producer);
    Result<std::optional<ProducerBatch>> checked = state_.Check(head, ProducerState::Origin::kClient);
    if (!checked.ok()) return CodeName(checked.code());
    if (*checked) return "dup " + std::to_string((*checked)->first().v);
    (void)state_.Apply(head, std::nullopt, nullptr);
    next_ += records;
    return "ok";
  }
  std::optional<CompletedTxn> End(bool abort, int16_t epoch = 0, int64_t producer = 1, ProducerState::Undo* undo = nullptr) {
    BatchHead head = Head(-1, 1, epoch, producer);
    head.attributes = batch::kControlBit | batch::kTransactionalBit;
    ++next_;
    return state_.Apply(head, TxnMarker{abort, 0}, undo);
  }
  void Transactional(int32_t sequence, int64_t producer, ProducerState::Undo* undo = nullptr) {
    BatchHead head = Head(sequence, 1, 0, producer);
    head.attributes = batch::kTransactionalBit;
    ++next_;
    (void)state_.Apply(head, std::nullopt, undo);
  }

  ProducerState state_;
  int64_t next_ = 0;
};

TEST_F(ProducerStateTest, SequencesMustFollow) {
  EXPECT_EQ(Send(0, 3), "ok");
  EXPECT_EQ(Send(3), "ok");
  EXPECT_EQ(Send(5), "out_of_order_sequence");
  EXPECT_EQ(Send(4), "ok");
  // A producer that nobody knows may begin anywhere: its earlier batches may have been deleted.
  EXPECT_EQ(Send(77, 1, 0, 2), "ok");
}

TEST_F(ProducerStateTest, TheLastFiveAreAnsweredAgain) {
  for (int i = 0; i < 7; ++i) EXPECT_EQ(Send(i * 2, 2), "ok");
  for (int i = 2; i < 7; ++i) EXPECT_EQ(Send(i * 2, 2), "dup " + std::to_string(i * 2));
  EXPECT_EQ(Send(2, 2), "out_of_order_sequence");  // forgotten: Kafka calls it a gap too
  EXPECT_EQ(Send(0, 2), "out_of_order_sequence");
  // The same sequences cut differently are no duplicate.
  EXPECT_EQ(Send(4, 1), "out_of_order_sequence");
  EXPECT_EQ(Send(12, 3), "out_of_order_sequence");
  EXPECT_EQ(Send(14, 1), "ok");
}

TEST_F(ProducerStateTest, SequencesWrap) {
  EXPECT_EQ(Send(INT32_MAX - 1, 1), "ok");
  EXPECT_EQ(Send(INT32_MAX, 3), "ok");  // INT32_MAX, 0, 1
  EXPECT_EQ(Send(2), "ok");
  EXPECT_EQ(Send(INT32_MAX, 3), "dup 1");
  EXPECT_EQ(Send(2), "dup 4");
  EXPECT_EQ(state_.Find(ProducerId(1))->last_batch()->first_sequence(), 2);
  EXPECT_EQ(state_.Find(ProducerId(1))->batches[1].first_sequence(), INT32_MAX);
}

TEST_F(ProducerStateTest, EpochsRiseAndBeginAtZero) {
  EXPECT_EQ(Send(0, 2, 1), "ok");
  EXPECT_EQ(Send(2, 1, 0), "invalid_producer_epoch");
  EXPECT_EQ(Send(2, 1, 2), "out_of_order_sequence");
  EXPECT_EQ(Send(0, 1, 2), "ok");
  EXPECT_EQ(Send(0, 1, 2), "dup 2");
  EXPECT_EQ(Send(0, 2, 1), "invalid_producer_epoch");
}

TEST_F(ProducerStateTest, CoordinatorsAreHeldToEpochsOnly) {
  EXPECT_EQ(Send(0, 1, 3), "ok");
  EXPECT_TRUE(state_.Check(Head(9, 1, 3), ProducerState::Origin::kCoordinator).ok());
  EXPECT_EQ(state_.Check(Head(9, 1, 2), ProducerState::Origin::kCoordinator).code(), Code::kInvalidProducerEpoch);
  EXPECT_TRUE(state_.Check(Head(9, 1, 2), ProducerState::Origin::kReplay).ok());
}

TEST_F(ProducerStateTest, AMarkerEndsTheTransactionAndTheSequence) {
  Transactional(0, 1);
  Transactional(0, 2);
  Transactional(1, 1);
  EXPECT_EQ(state_.FirstUnstable().v, 0);
  EXPECT_EQ(state_.Check(Head(2), ProducerState::Origin::kClient).code(), Code::kInvalid);
  std::optional<CompletedTxn> done = End(true);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->first.v, 0);
  EXPECT_EQ(done->last.v, 3);
  EXPECT_EQ(done->last_stable.v, 1);
  EXPECT_TRUE(done->abort);
  // Until the marker is visible the transaction is not over for readers.
  EXPECT_EQ(state_.FirstUnstable().v, 0);
  state_.OnHighWatermark(Offset(3));
  EXPECT_EQ(state_.FirstUnstable().v, 0);
  state_.OnHighWatermark(Offset(4));
  EXPECT_EQ(state_.FirstUnstable().v, 1);
  done = End(false, 0, 2);
  EXPECT_EQ(done->last_stable.v, 5);
  state_.OnHighWatermark(Offset(5));
  EXPECT_EQ(state_.FirstUnstable().v, -1);
  EXPECT_FALSE(End(false));  // ends nothing
  // The same epoch goes on counting, as before KIP-890; a new one begins at 0.
  EXPECT_EQ(Send(2), "ok");
  BatchHead head = Head(-1);
  EXPECT_EQ(state_.CheckMarker(head, {false, -1}).code(), Code::kInvalid);
  EXPECT_TRUE(state_.CheckMarker(head, {false, 0}).ok());
}

TEST_F(ProducerStateTest, WhatIsTakenBackNeverWas) {
  const uint64_t seed = test::Seed();
  SCOPED_TRACE("SLUICE_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    ProducerState before = state_;
    std::vector<ProducerState::Undo> undos;
    for (int i = 0; i < 6; ++i) {
      const int64_t producer = static_cast<int64_t>(random() % 3);
      const Producer* known = state_.Find(ProducerId(producer));
      switch (random() % 4) {
        case 0: End(random() % 2 == 0, 0, producer, &undos.emplace_back()); break;
        case 1: Transactional(0, producer, &undos.emplace_back()); break;
        default: {
          if (known != nullptr && known->txn_first.v >= 0) break;
          (void)state_.Apply(Head(static_cast<int32_t>(random() % 9), 2, static_cast<int16_t>(random() % 2), producer), std::nullopt, &undos.emplace_back());
          next_ += 2;
        }
      }
    }
    if (random() % 3 == 0) continue;  // kept
    while (!undos.empty()) {
      state_.Revert(undos.back());
      undos.pop_back();
    }
    ASSERT_EQ(state_.all(), before.all());
    ASSERT_EQ(state_.FirstUnstable(), before.FirstUnstable());
    ASSERT_EQ(state_.invisible(), before.invisible());
  }
}

TEST_F(ProducerStateTest, OldProducersAreForgottenUnlessTheyHaveATransaction) {
  EXPECT_EQ(Send(0, 1, 0, 1), "ok");     // at 1000
  EXPECT_EQ(Send(0, 1, 0, 2), "ok");     // at 1001
  Transactional(0, 3);                   // at 1002
  EXPECT_EQ(state_.Expire(TimestampMs(1500), 500), 1u);
  EXPECT_EQ(state_.Find(ProducerId(1)), nullptr);
  EXPECT_EQ(state_.Expire(TimestampMs(INT64_MAX), 500), 1u);
  EXPECT_EQ(state_.size(), 1u);
  EXPECT_EQ(state_.Expire(TimestampMs(INT64_MIN), 500), 0u);
}

TEST_F(ProducerStateTest, KafkasSnapshotIsReadAndWrittenByteForByte) {
  Result<std::string> bytes = io::ReadWholeFile(io::RealFileSystem(), kGolden + "/clean/t-0/00000000000000000380.snapshot", 10000);
  ASSERT_TRUE(bytes.ok());
  const Bytes view(reinterpret_cast<const uint8_t*>(bytes->data()), bytes->size());
  ASSERT_TRUE(DecodeProducerSnapshot(view, &state_).ok());
  EXPECT_EQ(state_.size(), 12u);
  const std::string again = EncodeProducerSnapshot(state_);
  // Kafka's order is that of its hash table; the records are the same.
  ASSERT_EQ(again.size(), bytes->size());
  const auto records = [](const std::string& text) {
    std::multiset<std::string> out;
    for (size_t at = 10; at < text.size(); at += 46) out.insert(text.substr(at, 46));
    return out;
  };
  EXPECT_EQ(records(again), records(*bytes));
  ProducerState twice;
  ASSERT_TRUE(DecodeProducerSnapshot({reinterpret_cast<const uint8_t*>(again.data()), again.size()}, &twice).ok());
  EXPECT_EQ(twice.all(), state_.all());
  for (size_t i = 0; i < bytes->size(); ++i) {
    std::string damaged = *bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    ProducerState none;
    EXPECT_EQ(DecodeProducerSnapshot({reinterpret_cast<const uint8_t*>(damaged.data()), damaged.size()}, &none).code(), Code::kCorrupt) << i;
    EXPECT_TRUE(none.empty());
    ProducerState short_one;
    EXPECT_FALSE(DecodeProducerSnapshot(view.first(i), &short_one).ok());
  }
}

}  // namespace
}  // namespace sluice::log
