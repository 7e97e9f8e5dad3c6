#include "io/file.h"

namespace sluice::io {

Result<std::string> ReadWholeFile(FileSystem& fs, const std::string& path, int64_t limit) {
  Result<std::unique_ptr<File>> file = fs.Open(path, OpenMode::kRead);
  if (!file.ok()) return file.status();
  Result<int64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  if (*size > limit) {
    return Status::Error(Code::kTooLarge, path + " has " + std::to_string(*size) + " bytes, at most " + std::to_string(limit) + " are expected");
  }
  std::string content(static_cast<size_t>(*size), '\0');
  Result<size_t> n = (*file)->ReadAt({reinterpret_cast<uint8_t*>(content.data()), content.size()}, 0);
  if (!n.ok()) return n.status();
  content.resize(*n);
  return content;
}

Status WriteFileAtomically(FileSystem& fs, const std::string& path, const std::string& content) {
  const std::string temporary = path + ".tmp";
  {
    Result<std::unique_ptr<File>> file = fs.Open(temporary, OpenMode::kCreate);
    if (!file.ok()) return file.status();
    SLUICE_TRY((*file)->Truncate(0));
    SLUICE_TRY((*file)->WriteAt({reinterpret_cast<const uint8_t*>(content.data()), content.size()}, 0));
    SLUICE_TRY((*file)->Sync());
  }
  SLUICE_TRY(fs.Rename(temporary, path));
  size_t slash = path.rfind('/');
  return fs.SyncDir(slash == std::string::npos ? "." : path.substr(0, slash));
}

}  // namespace sluice::io
