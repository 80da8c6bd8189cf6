// How far a follower has come in each of its files, on disk: what survives a restart and kill -9.
//
// A JSON file (state_file.h), replaced after the server has taken what it says. A file of the log is known by device, inode
// and its first bytes, whatever it is called by then.
// Errors: kIoError and kCorruption name the file.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "tools/state_file.h"

namespace varve {

// A fingerprint of some bytes of a file.
struct FilePrint {
  uint64_t bytes = 0;
  uint64_t hash = 0;  // xxh3
  bool operator==(const FilePrint&) const = default;
};

// Lines whose times were chosen before they were sent: sent again, they get the same ones.
struct PendingTimes {
  uint64_t end = 0;      // they end here; 0 = none are pending
  int64_t first_ns = 0;  // of the line at the offset; each further one has a nanosecond more
  bool operator==(const PendingTimes&) const = default;
};

struct FollowedFileState {
  static constexpr uint64_t kHeadBytesMax = 1024;
  static constexpr uint64_t kTailBytesMax = 256;

  std::string path;  // where it was last
  std::string name;  // where it was first: the value of the file name's label
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t offset = 0;  // what lies before it is at the server
  FilePrint head;       // the first bytes, at most kHeadBytesMax
  FilePrint tail;       // the last bytes before the offset, at most kTailBytesMax
  int64_t seen_ns = 0;  // when it was first seen
  int64_t last_ns = 0;  // the time of the last line before the offset; 0 = none
  PendingTimes pending;
  bool operator==(const FollowedFileState&) const = default;
};

struct FollowState {
  std::vector<FollowedFileState> files;
};

class FollowStateFile {
 public:
  explicit FollowStateFile(std::string path) : file_(std::move(path)) {}

  // Takes the lock; kUnavailable: another process has it.
  Status Lock() { return file_.Lock(); }
  // An empty state when there is no file; *existed says which.
  Result<FollowState> Load(bool* existed) const;
  // Durable when it returns.
  Status Save(const FollowState& state) const;

 private:
  StateFile file_;
};

// The file's text; for tests too.
std::string PrintFollowState(const FollowState& state);
Result<FollowState> ParseFollowState(std::string_view text);

}  // namespace varve
