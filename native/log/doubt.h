// What a failed sync leaves: pages that are in memory, not on the disk, and called clean by the kernel, so that no later sync writes them. As long as the
// machine runs, whoever reads the files sees what a power cut will take. A file beside them names them; it need not be durable, since a power cut takes
// the pages along.
// Thread: any, blocking.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/file.h"

namespace sluice::log {

inline constexpr char kSyncFailedName[] = "sync-failed";

// A sync of files in `dir` has failed: of those whose names begin with one of the lines of `stems`, each ended by a newline; of all where one is empty.
Status NoteFailedSync(io::FileSystem& fs, const std::string& dir, const std::string& stems);
inline constexpr char kEveryStem[] = "\n";

// Pages that a full disk refused when it was synced are lost: not a matter of trying again.
Status LostIfFull(Status status);

// Syncs of the whole file system that a log directory lies on. Such a sync is told of the pages of any file, and only once: after one that failed none is
// believed any more, and a note in the directory says so before anything else happens, until it is known which segments of which logs it may have been about.
// Thread: any, blocking; one at a time. After error: Run fails for ever; who asked takes the directory offline.
class WholeSync {
 public:
  WholeSync(io::FileSystem* fs, std::string log_dir) : fs_(*fs), log_dir_(std::move(log_dir)) {}
  Status Run();

 private:
  io::FileSystem& fs_;
  const std::string log_dir_;
  std::mutex mutex_;
  Status failed_;   // guarded by mutex_
};

// What has something unsynced in the folders of a log directory, each with its stems as above.
using Doubts = std::vector<std::pair<std::string, std::string>>;
// Notes it folder by folder; if that is `all` there is, in place of the note of the whole directory.
void NoteDoubts(io::FileSystem& fs, const std::string& log_dir, const Doubts& doubts, bool all);
// At a start, before a log is loaded: a process that came no further than the note of the whole directory has left every folder in doubt.
Status SpreadDoubt(io::FileSystem& fs, const std::string& log_dir);

// A start is about to cut a log in `dir`. One that dies before that is durable leaves nothing to cut to the next, which would never sync it, and a power cut
// would bring back what lies there. The note says it to the next one until the log has been synced; a power cut may take it along.
inline constexpr char kCutName[] = "cut-not-synced";
void NoteCut(io::FileSystem& fs, const std::string& dir);

// Before anything of what is noted in `dir` is believed: writes again what memory has, so that the next sync writes it or fails, and takes the note away.
Status WriteAgain(io::FileSystem& fs, const std::string& dir);

}  // namespace sluice::log
