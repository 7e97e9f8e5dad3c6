// Random lives of a log directory (recovery_world.h), and after each end one bit of one file turned, again and again, each time on a copy of what that end has left:
// the copy is checked by verify, opened, read, appended to, stopped and opened again.
//
// What must hold:
//   - nothing crashes, hangs or takes memory without bound;
//   - verify names the file and place, unless the bit means nothing; who is well is not blamed;
//   - a start is refused with the file's name, or closes that partition with its name, or goes on; where it goes on, each batch whose CRC is right is one that was
//     written, at its offset, once; what is missing of the damaged partition was told by verify or by the start; the others have all that was promised;
//   - after a clean stop a log that is served ends where it ended then, whoever has told of the damage: offsets are not given twice, and none is left out;
//   - after a crash the last eight frames of the journal may be taken for torn writes, with what they alone prove;
//   - a start that was refused has changed nothing: with the bit turned back everything is there.
#pragma once

#include "flip_image.h"
#include "flip_probe.h"
#include "log_fixture.h"
#include "recovery_world.h"

namespace sluice::log::test {

using sluice::test::FlipFate;

class FlipWorld : public World {
 public:
  static constexpr int kFlips = 12;   // after each life

  explicit FlipWorld(uint64_t seed, WorldOptions options = {}) : World(seed, Smaller(seed, std::move(options))) {}

 protected:
  // Transactions too, for the indexes that they have.
  void Step() override {
    if (Chance(4)) AppendTransaction(); else World::Step();
  }

  // Each is a step of its life, behind the others.
  void AfterLife(int steps, const Script& script) override {
    if (!*disk_->Exists("/data/meta.properties")) return;
    place_->steps = steps + kFlips;
    std::vector<const Part*> parts;
    for (const auto& [name, part] : topics_) parts.push_back(part.get());
    const VerifyReport before = Verified(*disk_, "/data");
    const FlipImage image(*disk_, parts, before.clean);
    for (int i = 0; i < kFlips && !::testing::Test::HasFailure(); ++i) {
      if (!script.HasStep(life_, steps + i)) continue;
      place_->step = steps + i;
      Reseed(steps + i);
      Try(image, image.Choose(random_));
    }
  }

 private:
  struct Aborted {
    TopicId topic;
    int64_t producer, first, marker;
    uint32_t crc;   // of the marker
  };
  // Of one partition what this trial has come to know.
  struct Known {
    const Part* part = nullptr;
    Lenience lenience;
    bool offline = false;
    bool reported = false;   // somebody has told of damage to it
    FlipProbe::Reading reading;
  };

  static WorldOptions Smaller(uint64_t seed, WorldOptions options) {
    options.faults = false;
    if (seed % 4 != 0) options.largest = 300 << 10;
    return options;
  }

  void AppendTransaction() {
    if (!Alive() || !dir_->HasRoom()) return;
    std::shared_ptr<Part> part = Any();
    const int64_t producer = 10000000 + ++transactions_;
    const bool aborts = Chance(60);
    int64_t first = -1;
    for (const bool marker : {false, true}) {
      if (!Alive() || part->log == nullptr || part->gone || !part->log->offline().ok()) return;
      bytes_.push_back(marker ? MakeMarker(producer, 0, aborts) : MakeBatch({.producer = producer, .epoch = 0, .sequence = 0, .transactional = true}));
      const uint32_t crc = batch::BatchView(bytes_.back()).stored_crc();
      Result<AppendResult> result = part->log->Append(bytes_.back(), marker ? AppendOrigin::kCoordinator : AppendOrigin::kClient, TimestampMs(clock_.WallMs()));
      ASSERT_TRUE(result.ok()) << result.status().ToString() << Tell(*part);
      part->batches.push_back({result->base.v, result->last.v + 1, crc, -1, 0, -1, {}});
      if (first < 0) first = result->base.v;
      if (marker && aborts) aborted_.push_back({part->id, producer, first, result->base.v, crc});
      dir_->MarkStaged(part->log);
      part->log->Await(new Ack(this, part, result->last.v + 1));
    }
    Note("transaction of " + std::to_string(producer) + (aborts ? ", aborted, in " : ", committed, in ") + part->name.ToString() + " from offset " + std::to_string(first));
  }

  void Try(const FlipImage& image, const Flip& flip) {
    const Meaning meaning = image.MeaningOf(flip);
    Note("turn " + flip.ToString() + ": " + meaning.why);
    SCOPED_TRACE(flip.ToString() + " (" + meaning.why + (image.clean() ? "), after a clean stop" : "), after a crash"));
    FlipProbe probe(disk_->Kill(), clock_, random_(), journal_bytes_);
    probe.disk().FlipBit(flip.path, flip.position, flip.bit);
    const size_t kind = static_cast<size_t>(flip.kind);
    ++tally.flips[kind];
    const auto fate = [&](FlipFate what) { ++tally.fates[kind][static_cast<size_t>(what)]; };

    const VerifyReport verified = Verified(probe.disk(), "/data");
    CheckVerify(flip, meaning, verified);
    const bool told = verified.damaged > 0;
    if (told) fate(FlipFate::kByVerify);
    if (::testing::Test::HasFailure()) return;

    std::vector<PartitionSpec> specs;
    for (const auto& [name, part] : topics_) specs.push_back(SpecOf(*part));
    const Status started = probe.Start(specs);
    ASSERT_FALSE(probe.stuck()) << "the start hangs" << Said(verified, probe);
    if (!started.ok()) {
      fate(FlipFate::kRefused);
      Refused(flip, meaning, started, verified, specs, &probe);
      return;
    }
    ASSERT_NE(meaning.refused, Must::kMust) << "the start goes on" << Said(verified, probe);
    const bool line = std::any_of(probe.lines().begin(), probe.lines().end(), [&](const std::string& text) { return Names(text, flip); });
    if (line) fate(FlipFate::kByStart);
    std::vector<Known> known = Look(flip, meaning, verified, probe);
    const bool offline = std::any_of(known.begin(), known.end(), [](const Known& one) { return one.offline; });
    if (offline) fate(FlipFate::kOffline);
    if (!told && !line && !offline) fate(meaning.torn ? FlipFate::kTorn : FlipFate::kUntold);
    if (::testing::Test::HasFailure()) return;
    if (Chance(50)) GoOn(flip, verified, specs, &known, &probe);
  }

  static bool Names(const std::string& text, const Flip& flip) {
    return text.find(flip.path) != std::string::npos || (!flip.folder.empty() && text.find("/data/" + flip.folder) != std::string::npos);
  }
  static std::string Said(const VerifyReport& verified, const FlipProbe& probe) {
    std::string text = "\nverify says:\n" + TextOf(verified) + "the start says:\n";
    for (const std::string& line : probe.lines()) text += line + "\n";
    return text;
  }

  void CheckVerify(const Flip& flip, const Meaning& meaning, const VerifyReport& verified) {
    bool named = false, exact = meaning.file.empty();
    for (const Damage& damage : verified.damages) {
      const bool its = damage.file == flip.path || damage.partition == flip.folder || (flip.kind == FlipKind::kJournal && damage.file.find(kJournalFolder) != std::string::npos);
      named |= its;
      exact |= damage.file == meaning.file && (meaning.position < 0 || damage.position == meaning.position);
      EXPECT_TRUE(its || flip.folder.empty()) << "verify blames " << damage.file << ": " << damage.what;
    }
    if (meaning.verify == Must::kNot) {
      EXPECT_EQ(verified.damaged, 0) << TextOf(verified);
    } else if (meaning.verify == Must::kMust) {
      EXPECT_TRUE(named) << "verify does not find it\n" << TextOf(verified);
      EXPECT_TRUE(exact || !named) << "verify does not name " << meaning.file << " at " << meaning.position << "\n" << TextOf(verified);
    }
  }

  void Refused(const Flip& flip, const Meaning& meaning, const Status& started, const VerifyReport& verified, const std::vector<PartitionSpec>& specs, FlipProbe* probe) {
    ASSERT_NE(meaning.refused, Must::kNot) << started.ToString() << Said(verified, *probe);
    const std::string dir = flip.kind == FlipKind::kMetaProperties ? "/data" : flip.path.substr(0, flip.path.rfind('/'));
    EXPECT_NE(started.ToString().find(dir), std::string::npos) << started.ToString();
    probe->Stop(false);
    probe->disk().FlipBit(flip.path, flip.position, flip.bit);
    const Status again = probe->Start(specs);
    ASSERT_TRUE(again.ok()) << "with the bit turned back: " << again.ToString();
    (void)Look(flip, Meaning(), VerifyReport(), *probe);
  }

  std::vector<Known> Look(const Flip& flip, const Meaning& meaning, const VerifyReport& verified, FlipProbe& probe) {
    std::vector<Known> all;
    size_t i = 0;
    for (const auto& [name, part] : topics_) {
      const OpenOutcome& outcome = probe.outcomes()[i++];
      Known one;
      one.part = part.get();
      const std::string folder = part->name.ToString();
      if (auto given = meaning.of.find(folder); given != meaning.of.end()) one.lenience = given->second;
      const auto its = [&](const std::string& text) { return text.find("/data/" + folder + "/") != std::string::npos || text.find("/data/" + folder + " ") != std::string::npos; };
      one.reported = std::any_of(probe.lines().begin(), probe.lines().end(), its) ||
                     std::any_of(verified.damages.begin(), verified.damages.end(), [&](const Damage& damage) { return damage.partition == folder || damage.file == flip.path; });
      SCOPED_TRACE(folder);
      if (!outcome.status.ok()) {
        one.offline = true;
        Note(outcome.status.ToString());
        EXPECT_TRUE(one.lenience.offline) << outcome.status.ToString() << Said(verified, probe);
        EXPECT_NE(outcome.status.ToString().find("/data/" + folder), std::string::npos) << outcome.status.ToString();
      } else if (outcome.log == nullptr) {
        ADD_FAILURE() << "not open";
      } else {
        ++tally[Count::kPartitionsCompared];
        one.reading = probe.Read(*outcome.log, Ends(*part));
        tally[Count::kBatchesCompared] += static_cast<int64_t>(one.reading.batches.size());
        if (one.lenience.told) CompareWhatIsLeft(one); else CompareAll(one, *outcome.log, probe);
        const bool anew = std::any_of(probe.lines().begin(), probe.lines().end(), [&](const std::string& text) { return its(text) && text.find(".txnindex is damaged; made anew") != std::string::npos; });
        if (!one.lenience.untold_aborts && (!one.reported || (anew && flip.kind == FlipKind::kTxnIndex))) CompareAborted(one, *outcome.log);
      }
      if (::testing::Test::HasFailure()) {
        ADD_FAILURE() << Model(*part) << Said(verified, probe);
        return all;
      }
      all.push_back(std::move(one));
    }
    return all;
  }

  static std::vector<int64_t> Ends(const Part& part) {
    std::vector<int64_t> ends;
    for (const Produced& batch : part.batches) ends.push_back(batch.end);
    return ends;
  }
  static std::string Model(const Part& part) {
    return "must " + std::to_string(part.must) + ", kept " + std::to_string(part.kept) + ", start answered " + std::to_string(part.start_answered) + ", seen " + std::to_string(part.start_seen) +
           ", written " + std::to_string(part.batches.empty() ? 0 : part.batches.back().end);
  }

  // As World::Compare does it, with what a journal that lost its end may have taken.
  void CompareAll(const Known& known, Log& log, FlipProbe& probe) {
    const Part& part = *known.part;
    const FlipProbe::Reading& found = known.reading;
    const int64_t most = std::max(part.start_seen, part.start_answered), appended = part.batches.empty() ? 0 : part.batches.back().end;
    ASSERT_TRUE(found.errors.empty()) << found.errors.front();
    if (!known.lenience.start_back) {
      ASSERT_GE(found.start, part.start_answered);
    }
    ASSERT_LE(found.start, most);
    if (!part.may_reset || found.start != found.end) {
      ASSERT_LE(found.end, std::max(appended, found.start));
    }
    ASSERT_GE(found.end, std::min(part.kept, known.lenience.torn_end));
    size_t at = 0;
    while (at < part.batches.size() && part.batches[at].end <= found.start) ++at;
    int64_t next = found.start;
    for (const FlipProbe::Batch& batch : found.batches) {
      ASSERT_LT(at, part.batches.size());
      ASSERT_EQ(batch, (FlipProbe::Batch{part.batches[at].base, part.batches[at].end, part.batches[at].crc, true}));
      next = part.batches[at++].end;
    }
    ASSERT_EQ(next, found.end);
    // From anywhere, as the indexes lead there.
    const int64_t first = found.batches.empty() ? found.end : std::max(found.start, found.batches.front().base);
    for (int i = 0; i < 8 && first < found.end; ++i) {
      const int64_t offset = first + Below(found.end - first);
      const Result<FlipProbe::Batch> there = probe.Find(log, offset);
      ASSERT_TRUE(there.ok()) << "a fetch from offset " << offset << ": " << there.status().ToString();
      ASSERT_TRUE(there->base <= offset && offset < there->end) << "a fetch from offset " << offset << " finds " << there->base;
    }
    for (int which = 0; which < 2; ++which) RetryThere(part, which, found, log, probe);
  }

  // The last batch of a producer that is there is its last: sent again, it is known.
  void RetryThere(const Part& part, int which, const FlipProbe::Reading& found, Log& log, FlipProbe& probe) {
    for (auto it = part.batches.rbegin(); it != part.batches.rend(); ++it) {
      if (it->producer != which || it->base >= found.end) continue;
      if (it->bytes.empty() || it->base < found.start) return;
      Result<AppendResult> again = probe.Append(log, it->bytes);
      ASSERT_TRUE(again.ok()) << again.status().ToString();
      ASSERT_TRUE(again->duplicate) << "took a batch twice, at " << it->base << " and " << again->base.v;
      ASSERT_EQ(again->base.v, it->base);
      ++tally[Count::kRetriesRecognised];
      return;
    }
  }

  // What a reader of committed records is told to leave out.
  void CompareAborted(const Known& known, Log& log) {
    const FlipProbe::Reading& found = known.reading;
    std::map<int64_t, const Aborted*> due;   // by producer, and each has one transaction
    for (const Aborted& one : aborted_) {
      const bool there = std::any_of(found.batches.begin(), found.batches.end(), [&](const FlipProbe::Batch& batch) { return batch.base == one.marker && batch.crc == one.crc; });
      if (one.topic == known.part->id && there) due[one.producer] = &one;
    }
    for (const AbortedTransaction& told : log.AbortedIn(Offset(found.start), Offset(found.end))) {
      auto one = due.find(told.producer.v);
      ASSERT_TRUE(one != due.end() && one->second->first == told.first_offset.v) << "producer " << told.producer.v << " is said to have aborted what begins at " << told.first_offset.v;
      due.erase(one);
    }
    ASSERT_TRUE(due.empty()) << "the abort at offset " << due.begin()->second->marker << " is not known";
  }

  void CompareWhatIsLeft(const Known& known) {
    const Part& part = *known.part;
    const Lenience& lenience = known.lenience;
    const int64_t most = std::max(part.start_seen, part.start_answered), appended = part.batches.empty() ? 0 : part.batches.back().end;
    std::map<int64_t, const Produced*> missing;
    for (const Produced& batch : part.batches) missing[batch.base] = &batch;
    const Produced* moved = lenience.moved && missing.count(*lenience.moved) != 0 ? missing[*lenience.moved] : nullptr;
    int64_t last = -1;
    for (const FlipProbe::Batch& batch : known.reading.batches) {
      if (!batch.whole) continue;   // its reader sees that
      auto written = missing.find(batch.base);
      const bool right = written != missing.end() && written->second->crc == batch.crc && written->second->end == batch.end;
      if (!right && moved != nullptr && batch.crc == moved->crc) continue;
      ASSERT_TRUE(right) << "offsets " << batch.base << " to " << batch.end - 1 << " are " << (batch.base <= last ? "there twice" : "not what was written there");
      ASSERT_GT(batch.base, last);
      last = batch.base;
      missing.erase(written);
    }
    for (const auto& [base, batch] : missing) {
      if (base < most || batch->end > part.kept) continue;
      ASSERT_TRUE(known.reported && batch->end > lenience.whole_below) << "offsets " << base << " to " << batch->end - 1 << " are missing, and nobody says so";
    }
    if (lenience.end) {
      ASSERT_EQ(known.reading.end, *lenience.end) << "goes on elsewhere than where it was stopped";
    }
    ASSERT_TRUE(known.reported || known.reading.end <= std::max(appended, known.reading.start)) << "ends at " << known.reading.end;
  }

  // A broker that goes on with it: what is appended now is there after the next stop or crash, and so is what was there before.
  void GoOn(const Flip& flip, const VerifyReport& verified, const std::vector<PartitionSpec>& specs, std::vector<Known>* known, FlipProbe* probe) {
    std::vector<std::optional<FlipProbe::Batch>> added;
    for (size_t i = 0; i < known->size(); ++i) {
      Log* log = probe->outcomes()[i].log;
      added.emplace_back();
      if ((*known)[i].offline) continue;
      SCOPED_TRACE((*known)[i].part->name.ToString());
      std::vector<uint8_t> bytes = MakeNumberedBatch(nullptr, 2, 100, &last_record_);
      const uint32_t crc = batch::BatchView(bytes).stored_crc();
      const int64_t due = log->next_offset().v;
      Result<AppendResult> result = probe->Append(*log, std::move(bytes));
      ASSERT_FALSE(probe->stuck()) << "an append hangs" << Said(verified, *probe);
      ASSERT_TRUE(result.ok()) << result.status().ToString() << Said(verified, *probe);
      ASSERT_EQ(result->base.v, due);
      added.back() = FlipProbe::Batch{due, due + 2, crc, true};
      const Result<FlipProbe::Batch> there = probe->Find(*log, due);
      ASSERT_TRUE((*known)[i].lenience.told || (there.ok() && *there == added.back())) << "what was appended at " << due << " is not there" << Said(verified, *probe);
    }
    const bool clean = Chance(50);
    probe->Stop(clean);
    ASSERT_FALSE(probe->stuck()) << "the stop hangs" << Said(verified, *probe);
    const Status started = probe->Start(specs);
    ASSERT_FALSE(probe->stuck()) << "the second start hangs" << Said(verified, *probe);
    ASSERT_TRUE(started.ok()) << "the second start is refused, after " << (clean ? "a clean stop: " : "a kill: ") << started.ToString() << Said(verified, *probe);
    for (size_t i = 0; i < known->size(); ++i) {
      const Known& one = (*known)[i];
      const OpenOutcome& outcome = probe->outcomes()[i];
      SCOPED_TRACE(one.part->name.ToString() + " after the second start");
      if (!outcome.status.ok()) {
        EXPECT_TRUE(one.offline || (one.lenience.told && one.reported)) << outcome.status.ToString() << Said(verified, *probe);
        continue;
      }
      ASSERT_FALSE(one.offline && !one.lenience.nobodys) << "closed by the first start, served by the second" << Said(verified, *probe);
      std::vector<int64_t> ends = Ends(*one.part);
      if (added[i]) ends.push_back(added[i]->end);
      const FlipProbe::Reading now = probe->Read(*outcome.log, ends);
      std::vector<FlipProbe::Batch> due = one.reading.batches;
      if (added[i]) due.push_back(*added[i]);
      if (one.lenience.told) {
        EXPECT_TRUE(one.reported || !now.errors.empty() || std::find(now.batches.begin(), now.batches.end(), *added[i]) != now.batches.end()) << "what was appended is gone" << Said(verified, *probe);
        continue;
      }
      EXPECT_TRUE(now.errors.empty()) << now.errors.front();
      std::erase_if(due, [&](const FlipProbe::Batch& batch) { return batch.end <= now.start; });
      EXPECT_TRUE(one.part->retained || now.start == one.reading.start) << now.start << " instead of " << one.reading.start;
      EXPECT_TRUE(now.batches == due) << now.batches.size() << " batches instead of " << due.size() << Said(verified, *probe);
    }
    probe->Stop(false);
    for (const Damage& damage : Verified(probe->disk(), "/data").damages) {
      EXPECT_TRUE(flip.folder.empty() || damage.partition == flip.folder || damage.file == flip.path) << "in the end verify blames " << damage.file << ": " << damage.what;
    }
  }

  int64_t transactions_ = 0;
  std::vector<Aborted> aborted_;
};

}  // namespace sluice::log::test
