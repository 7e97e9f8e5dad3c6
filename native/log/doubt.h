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
// Before anything of what is noted in `dir` is believed: writes again what memory has, so that the next sync writes it or fails, and takes the note away.
Status WriteAgain(io::FileSystem& fs, const std::string& dir);

}  // namespace sluice::log
