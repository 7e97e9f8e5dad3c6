// The journal's promise: what was reported durable comes back, in order; what was torn or belongs to another time does not.
#include "log/journal.h"

#include <gtest/gtest.h>

#include <random>

#include "log/journal_reader.h"
#include "support/temp_dir.h"
#include "support/test_env.h"

namespace sluice::log {
namespace {

using test::TempDir;
using test::TestEnv;

struct Owner {
  TopicIdPartition id;
  Offset durable{0};
};

class JournalTest : public ::testing::TestWithParam<io::Driver> {
 protected:
  JournalTest() : env_(GetParam()) {}

  std::unique_ptr<Journal> Make(JournalMark begin, int64_t max_bytes = 64 << 20, uint32_t alignment = 4096) {
    auto journal = std::make_unique<Journal>(
        env_.env(), Journal::Options{dir_.path(), max_bytes, alignment}, begin,
        [](void* owner, Offset end) {
          auto* o = static_cast<Owner*>(owner);
          EXPECT_LT(o->durable, end);
          o->durable = end;
        },
        [this](const Status& why) { failure_ = why; });
    EXPECT_TRUE(journal->Create().ok());
    return journal;
  }

  void Add(Journal& journal, Owner& owner, int64_t base, size_t bytes, uint8_t fill) {
    std::vector<uint8_t> payload(bytes, fill);
    Entry entry;
    entry.id = owner.id;
    entry.base = Offset(base);
    entry.end = Offset(base + 1);
    entry.payload = payload;
    journal.Add(entry, &owner);
  }

  void Flush(Journal& journal) {
    journal.Seal();
    env_.writer().Flush();
  }

  // Single-block frames for offsets [from, to), durable when this returns.
  void Write(Journal& journal, Owner& owner, int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) {
      Add(journal, owner, i, 3000, static_cast<uint8_t>(i));
      Flush(journal);
    }
    env_.RunUntil([&] { return owner.durable == Offset(to); });
  }

  std::unique_ptr<Journal> TakeOver(const JournalReader& from, uint64_t incarnation) {
    std::string path;
    Result<JournalMark> begin = Journal::TakeOver(*env_.env().fs, dir_.path(), from.end(), incarnation, true, &path);
    EXPECT_TRUE(begin.ok()) << begin.status().ToString();
    return Make(*begin);
  }

  std::unique_ptr<JournalReader> Scan(const JournalMark& from) {
    auto reader = JournalReader::Scan(*env_.env().fs, dir_.path(), from);
    EXPECT_TRUE(reader.ok()) << reader.status().ToString();
    return reader.take();
  }

  void Flip(uint64_t file, int64_t position) {
    auto opened = env_.env().fs->Open(dir_ / Journal::FileName(file), io::OpenMode::kReadWrite);
    ASSERT_TRUE(opened.ok());
    uint8_t byte = 0;
    ASSERT_TRUE((*opened)->ReadAt({&byte, 1}, position).ok());
    byte ^= 0x55;
    ASSERT_TRUE((*opened)->WriteAt({&byte, 1}, position).ok());
  }

  std::vector<int64_t> BasesOf(JournalReader& reader, const TopicIdPartition& id) {
    std::vector<int64_t> bases;
    const std::vector<JournalReader::Ref>* refs = reader.EntriesOf(id);
    if (refs == nullptr) return bases;
    std::vector<uint8_t> buffer;
    for (const auto& ref : *refs) {
      Result<Entry> entry = reader.Read(ref, &buffer);
      EXPECT_TRUE(entry.ok());
      for (uint8_t b : entry->payload) EXPECT_EQ(b, static_cast<uint8_t>(entry->base.v));
      bases.push_back(entry->base.v);
    }
    return bases;
  }

  TempDir dir_;
  TestEnv env_;
  Status failure_;
};

TEST_P(JournalTest, GivesBackWhatWasDurableInOrder) {
  JournalMark begin;
  begin.incarnation = 7;
  auto journal = Make(begin);
  Owner a, b;
  a.id.partition = 0;
  b.id.partition = 1;
  for (int64_t i = 0; i < 100; ++i) {
    Add(*journal, a, i, 10 + static_cast<size_t>(i) * 100, static_cast<uint8_t>(i));
    if (i % 3 == 0) Add(*journal, b, i, 5, static_cast<uint8_t>(i));
    Flush(*journal);
  }
  env_.RunUntil([&] { return a.durable == Offset(100) && b.durable == Offset(100); });
  auto reader = JournalReader::Scan(*env_.env().fs, dir_.path(), begin);
  ASSERT_TRUE(reader.ok());
  std::vector<int64_t> expected_a, expected_b;
  for (int64_t i = 0; i < 100; ++i) {
    expected_a.push_back(i);
    if (i % 3 == 0) expected_b.push_back(i);
  }
  EXPECT_EQ(BasesOf(**reader, a.id), expected_a);
  EXPECT_EQ(BasesOf(**reader, b.id), expected_b);
  EXPECT_EQ((*reader)->end().sequence, journal->Cut().sequence);
}

TEST_P(JournalTest, OneTickIsOneWrite) {
  auto journal = Make(JournalMark{});
  Owner a;
  for (int64_t i = 0; i < 50; ++i) Add(*journal, a, i, 100, static_cast<uint8_t>(i));
  Flush(*journal);
  env_.RunUntil([&] { return a.durable == Offset(50); });
  EXPECT_EQ(journal->writes(), 1);
}

TEST_P(JournalTest, FilesFreedByACheckpointAreReusedAndTheirOldFramesStayDead) {
  JournalMark begin;
  auto journal = Make(begin, 24 << 20);
  Owner a;
  int64_t next = 0;
  // Several laps over all files.
  for (int lap = 0; lap < 8; ++lap) {
    for (int i = 0; i < 16; ++i) {
      Add(*journal, a, next, 512 << 10, static_cast<uint8_t>(next));
      ++next;
      Flush(*journal);
    }
    env_.RunUntil([&] { return a.durable == Offset(next); });
    begin = journal->Cut();
    journal->Free(begin);
  }
  EXPECT_LE(journal->capacity_bytes(), 24 << 20);
  const int64_t first_after = next;
  for (int i = 0; i < 3; ++i) {
    Add(*journal, a, next, 1000, static_cast<uint8_t>(next));
    ++next;
    Flush(*journal);
  }
  env_.RunUntil([&] { return a.durable == Offset(next); });
  auto reader = JournalReader::Scan(*env_.env().fs, dir_.path(), begin);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(BasesOf(**reader, a.id), (std::vector<int64_t>{first_after, first_after + 1, first_after + 2}));
}

TEST_P(JournalTest, AFullJournalWaitsForTheCheckpointAndLosesNothing) {
  JournalMark begin;
  auto journal = Make(begin, 8 << 20);
  Owner a;
  int64_t next = 0;
  for (int i = 0; i < 20; ++i) {
    Add(*journal, a, next, 1 << 20, static_cast<uint8_t>(next));
    ++next;
    Flush(*journal);
  }
  while (env_.writer().pending() > 0 || env_.pool().pending() > 0) {
    pollfd waits[2] = {{env_.writer().event_fd(), POLLIN, 0}, {env_.pool().event_fd(), POLLIN, 0}};
    ::poll(waits, 2, -1);
    env_.writer().Reap();
    env_.pool().RunCompletions();
  }
  EXPECT_LT(a.durable, Offset(next));
  EXPECT_GT(a.durable, Offset(0));
  // One file of 8 MiB is all there is: a checkpoint of what is durable must let the rest in.
  env_.RunUntil([&] {
    journal->Free(JournalMark{begin.incarnation, journal->durable_sequence(), 0});
    return a.durable == Offset(next);
  });
}

// A sixteenth of a disk is no whole number of blocks, nor must a setting be.
TEST_P(JournalTest, GrowsByWholeBlocksWhateverItsLimitIs) {
  JournalMark begin;
  auto journal = Make(begin, (100 << 20) + 12345);
  Owner owner;
  owner.id.partition = 1;
  for (int64_t i = 0; i < 12; ++i) {
    Add(*journal, owner, i, 1 << 20, static_cast<uint8_t>(i));
    Flush(*journal);
    env_.RunUntil([&] { return owner.durable == Offset(i + 1) || !failure_.ok(); });
    ASSERT_TRUE(failure_.ok()) << failure_.ToString();
  }
  env_.RunUntil([&] { return !journal->growing(); });
  EXPECT_TRUE(failure_.ok()) << failure_.ToString();
  EXPECT_GT(journal->capacity_bytes(), 12 << 20);
  EXPECT_EQ(journal->capacity_bytes() % kJournalBlock, 0);
}

TEST_P(JournalTest, ATornFrameEndsTheChain) {
  JournalMark begin;
  auto journal = Make(begin);
  Owner a;
  for (int64_t i = 0; i < 10; ++i) {
    Add(*journal, a, i, 3000, static_cast<uint8_t>(i));
    Flush(*journal);
  }
  env_.RunUntil([&] { return a.durable == Offset(10); });
  // Frames are one block each: damage the sixth.
  auto file = env_.env().fs->Open(dir_ / Journal::FileName(0), io::OpenMode::kReadWrite);
  ASSERT_TRUE(file.ok());
  uint8_t byte = 0xEE;
  ASSERT_TRUE((*file)->WriteAt({&byte, 1}, 5 * kJournalBlock + 200).ok());
  auto reader = JournalReader::Scan(*env_.env().fs, dir_.path(), begin);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(BasesOf(**reader, a.id), (std::vector<int64_t>{0, 1, 2, 3, 4}));
}

TEST_P(JournalTest, AnotherIncarnationsFramesAreNotReplayed) {
  JournalMark first;
  first.incarnation = 1;
  Owner a;
  {
    auto journal = Make(first);
    Add(*journal, a, 0, 100, 0);
    Flush(*journal);
    env_.RunUntil([&] { return a.durable == Offset(1); });
  }
  JournalMark second;
  second.incarnation = 2;
  auto reader = JournalReader::Scan(*env_.env().fs, dir_.path(), second);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ((*reader)->entries(), 0);
}

TEST_P(JournalTest, OneIncarnationAfterTheOtherIsReplayedUntilACheckpointCoversThem) {
  JournalMark mark;
  mark.incarnation = 1;
  Owner a;
  Write(*Make(mark), a, 0, 5);
  std::vector<int64_t> expected{0, 1, 2, 3, 4};
  JournalMark later;
  for (uint64_t life = 2; life < 6; ++life) {
    auto reader = Scan(mark);
    EXPECT_EQ(BasesOf(*reader, a.id), expected);
    EXPECT_EQ(reader->incarnations(), static_cast<int64_t>(life) - 1);
    auto journal = TakeOver(*reader, life);
    const int64_t next = a.durable.v;
    if (life == 4) later = journal->Cut();
    if (life == 3) continue;  // killed before it wrote anything
    Write(*journal, a, next, next + 3);
    for (int64_t i = next; i < next + 3; ++i) expected.push_back(i);
  }
  auto reader = Scan(mark);
  EXPECT_EQ(BasesOf(*reader, a.id), expected);
  EXPECT_EQ(reader->files().size(), 8u);   // of a life that wrote nothing only the takeover; empty files hold nothing that is missed
  EXPECT_EQ(reader->leftovers().size(), 1u);
  // A checkpoint in the fourth life covers the three before, whose files may still be there.
  reader = Scan(later);
  EXPECT_EQ(BasesOf(*reader, a.id), (std::vector<int64_t>{8, 9, 10, 11, 12, 13}));
  EXPECT_EQ(reader->files().size(), 4u);
  EXPECT_EQ(reader->leftovers().size(), 5u);
}

TEST_P(JournalTest, WhatTheNextIncarnationDidNotFindNeverComesBack) {
  JournalMark mark;
  mark.incarnation = 1;
  Owner a;
  Write(*Make(mark), a, 0, 10);
  // The sixth frame is still on its way to the disk when the next life looks.
  Flip(0, 5 * kJournalBlock + 200);
  auto reader = Scan(mark);
  EXPECT_EQ(BasesOf(*reader, a.id), (std::vector<int64_t>{0, 1, 2, 3, 4}));
  a.durable = Offset(5);
  auto journal = TakeOver(*reader, 2);
  Flip(0, 5 * kJournalBlock + 200);
  EXPECT_EQ(BasesOf(*Scan(mark), a.id), (std::vector<int64_t>{0, 1, 2, 3, 4}));
  for (int64_t copy : {int64_t{0}, kTakeOverCopy}) {   // either is enough, with nothing behind it that would prove it
    Flip(1, copy + 20);
    EXPECT_EQ(BasesOf(*Scan(mark), a.id), (std::vector<int64_t>{0, 1, 2, 3, 4})) << copy;
    Flip(1, copy + 20);
  }
  Write(*journal, a, 5, 7);
  EXPECT_EQ(BasesOf(*Scan(mark), a.id), (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6}));
}

TEST_P(JournalTest, ATakeoverThatDidNotReachTheDiskIsNone) {
  JournalMark mark;
  mark.incarnation = 1;
  Owner a;
  Write(*Make(mark), a, 0, 3);
  TakeOver(*Scan(mark), 2);
  for (int64_t copy : {int64_t{0}, kTakeOverCopy}) Flip(1, copy + 20);  // in its header
  auto reader = Scan(mark);
  EXPECT_EQ(BasesOf(*reader, a.id), (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(reader->end().incarnation, 1u);
  EXPECT_EQ(reader->leftovers().size(), 2u);   // it, and the file that was to be filled behind it
}

TEST_P(JournalTest, FramesThatATakeoverProvesAreMissed) {
  JournalMark mark;
  mark.incarnation = 1;
  Owner a;
  Write(*Make(mark), a, 0, 10);
  Write(*TakeOver(*Scan(mark), 2), a, 10, 12);
  Flip(0, 5 * kJournalBlock + 200);
  auto reader = JournalReader::Scan(*env_.env().fs, dir_.path(), mark);
  ASSERT_FALSE(reader.ok());
  EXPECT_EQ(reader.code(), Code::kCorrupt);
}

TEST_P(JournalTest, WhatACheckpointCoversMayBeDamaged) {
  Owner a;
  auto journal = Make({1, 0, 0});
  Write(*journal, a, 0, 10);
  const JournalMark mark = journal->Cut();
  Write(*journal, a, 10, 12);
  for (int64_t frame : {0, 4, 9}) Flip(0, frame * kJournalBlock + 200);
  EXPECT_EQ(BasesOf(*Scan(mark), a.id), (std::vector<int64_t>{10, 11}));
}

TEST_P(JournalTest, ATakeoverThatIsDamagedIsProvenByWhatFollowsIt) {
  JournalMark mark;
  mark.incarnation = 1;
  Owner a;
  Write(*Make(mark), a, 0, 3);
  TakeOver(*Scan(mark), 2);              // files 1 and 2, with nothing behind the first frame
  Write(*TakeOver(*Scan(mark), 3), a, 3, 5);   // files 3 and 4
  for (uint64_t file : {1, 3}) {
    for (int64_t copy : {int64_t{0}, kTakeOverCopy}) Flip(file, copy + 20);
    EXPECT_EQ(BasesOf(*Scan(mark), a.id), (std::vector<int64_t>{0, 1, 2, 3, 4})) << file;
    for (int64_t copy : {int64_t{0}, kTakeOverCopy}) Flip(file, copy + 20);
  }
}

TEST_P(JournalTest, AFrameThatIsMissingThoughLaterOnesAreThereIsFound) {
  JournalMark mark;
  mark.incarnation = 1;
  Owner a;
  Write(*Make(mark), a, 0, 20);
  EXPECT_FALSE(Scan(mark)->FindLost(false)->has_value());
  Flip(0, 12 * kJournalBlock + 200);     // one of the last eight
  EXPECT_FALSE(Scan(mark)->FindLost(false)->has_value());
  for (int64_t frame : {11, 0}) {
    Flip(0, frame * kJournalBlock + 200);
    const std::optional<JournalReader::Lost> lost = *Scan(mark)->FindLost(false);
    ASSERT_TRUE(lost);
    EXPECT_EQ(lost->position, (frame == 11 ? 19 : 8) * kJournalBlock) << frame;
  }
}

TEST_P(JournalTest, RandomTrafficComesBackFromRandomCuts) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  JournalMark mark;
  auto journal = Make(mark, 32 << 20, random() % 2 == 0 ? 4096 : 0);
  std::vector<Owner> owners(5);
  std::vector<int64_t> next(5, 0), marked(5, 0);
  for (int i = 0; i < 5; ++i) owners[i].id.partition = i;
  for (int round = 0; round < 200; ++round) {
    const int entries = static_cast<int>(random() % 20) + 1;
    for (int e = 0; e < entries; ++e) {
      size_t who = random() % 5;
      size_t bytes = random() % 100 == 0 ? random() % (2 << 20) : random() % 5000;
      Add(*journal, owners[who], next[who], bytes, static_cast<uint8_t>(next[who]));
      ++next[who];
    }
    Flush(*journal);
    if (random() % 10 == 0) {
      env_.RunUntil([&] { return journal->idle(); });
      mark = journal->Cut();
      marked = next;
      journal->Free(mark);
    }
  }
  env_.RunUntil([&] { return journal->idle(); });
  auto reader = JournalReader::Scan(*env_.env().fs, dir_.path(), mark);
  ASSERT_TRUE(reader.ok());
  for (size_t i = 0; i < 5; ++i) {
    std::vector<int64_t> expected;
    for (int64_t n = marked[i]; n < next[i]; ++n) expected.push_back(n);
    EXPECT_EQ(BasesOf(**reader, owners[i].id), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Drivers, JournalTest, ::testing::Values(io::Driver::kAuto, io::Driver::kEpoll),
                         [](const auto& info) { return info.param == io::Driver::kEpoll ? "epoll" : "automatic"; });

}  // namespace
}  // namespace sluice::log
