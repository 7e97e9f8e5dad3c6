// What a failed sync leaves: pages that are in memory, not on the disk, and called clean by the kernel, so that no later sync writes them. As long as the
// machine runs, whoever reads the files sees what a power cut will take. A file beside them names them; it need not be durable, since a power cut takes
// the pages along.
// Thread: any, blocking.
#pragma once

#include <string>

#include "base/result.h"
#include "io/file.h"

namespace sluice::log {

inline constexpr char kSyncFailedName[] = "sync-failed";

// A sync of files in `dir` has failed: of those whose names begin with one of the lines of `stems`, each ended by a newline; of all where it is empty.
void NoteFailedSync(io::FileSystem& fs, const std::string& dir, const std::string& stems);

// A start is about to cut a log in `dir`. One that dies before that is durable leaves nothing to cut to the next, which would never sync it, and a power cut
// would bring back what lies there. The note says it to the next one until the log has been synced; a power cut may take it along.
inline constexpr char kCutName[] = "cut-not-synced";
void NoteCut(io::FileSystem& fs, const std::string& dir);

// Before anything of what is noted in `dir` is believed: writes again what memory has, so that the next sync writes it or fails, and takes the note away.
Status WriteAgain(io::FileSystem& fs, const std::string& dir);

}  // namespace sluice::log
