// The files that a follower reads: found by patterns, known by device and inode, followed through rotation.
//
//   rename      the old file is read to its end under its first name; the new one under the path is another file
//   copytruncate  the copy (a file beside it whose name begins with the same name, with the same bytes up to where we
//               are) holds what was not read yet; then the original begins again
//   while we were away  both, by what the state says
//
// A copy of a file that is followed is not read beside it. Compressed files (.gz .bz2 .xz .zst .lz4 .zip) are left out.
// Errors in single files are logged and do not end anything.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/status.h"
#include "tools/follow_file.h"
#include "tools/follow_state.h"

namespace varve {

class FollowedFiles {
 public:
  static constexpr size_t kFilesMax = 10'000;
  using Log = std::function<void(const std::string&)>;

  // `from_end`: files of the first Scan that the state does not know begin at their end.
  FollowedFiles(std::vector<std::string> patterns, FollowState state, bool from_end, Log log);

  // Looks for new, renamed and vanished files. True: there is something new to write into the state.
  bool Scan(int64_t now_ns);
  // `file` said kTruncated, and all that was taken is committed. True: an unfinished last line of it remains to be
  // taken by TakeRest before StartOver; otherwise it has started over.
  bool Truncated(FollowedFile* file, int64_t now_ns);
  // Drops what is closing and committed.
  void DropClosed();
  // Whether there are files of which the next Scan may say whether they are copies.
  bool undecided() const { return !undecided_.empty(); }

  const std::vector<std::unique_ptr<FollowedFile>>& files() const { return files_; }
  FollowState State() const;
  // Folders in which new files may appear or files change.
  const std::set<std::string>& folders() const { return folders_; }

 private:
  using Identity = std::pair<uint64_t, uint64_t>;

  void ResolveSaved();
  void Adopt(const std::string& path, const struct stat& info, int64_t now_ns,
             const std::map<Identity, int64_t>& undecided);
  // Of a file that is in saved_.
  void TakeSaved(const std::string& path, const struct stat& info, int64_t now_ns);
  enum class Copy { kNo, kYes, kPerhapsLater };
  Copy IsCopy(const std::string& path, const FollowedFileState** original) const;
  // A copy of what `state` says, which goes on where it ends; false: there is none.
  bool ContinueInCopy(const FollowedFileState& state);
  // Null, and a line in the log, when it cannot be opened.
  FollowedFile* Open(const std::string& path, FollowedFileState state);
  FollowedFile* Find(const Identity& identity) const;

  const std::vector<std::string> patterns_;
  const bool from_end_;
  const Log log_;
  std::vector<std::unique_ptr<FollowedFile>> files_;
  std::map<Identity, FollowedFile*> by_identity_;  // files_
  std::map<Identity, FollowedFileState> saved_;  // of the state, not found yet
  std::map<Identity, int64_t> undecided_;        // perhaps copies that are being made: since when
  std::set<std::string> refused_;                // paths that were complained about
  std::set<std::string> folders_;
  bool first_scan_ = true;
  bool changed_ = false;
};

}  // namespace varve
