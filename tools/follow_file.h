// One file that grows, read line by line as it does.
//
// Lines are taken (ReadLine), sent, and committed; what is not committed is read again after a restart. A file that was
// truncated is noticed by its size or by its first bytes, before anything of what came after is read as if it
// continued what was before.
// Memory: one line, at most kLineBytesMax, and a chunk of 256 KB while there is something to read.
// Threads: thread-compatible.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "tools/follow_state.h"

namespace varve {

class FollowedFile {
 public:
  // A longer line is sent in pieces of this size.
  static constexpr size_t kLineBytesMax = 8 << 20;

  enum class Next {
    kLine,
    kNothing,    // no whole line for now
    kTruncated,  // until StartOver
  };

  // Opens `path` to go on at state.offset; the caller knows that the state is of this file. kIoError.
  static Result<std::unique_ptr<FollowedFile>> Open(const std::string& path, FollowedFileState state);
  // For Open.
  FollowedFile(int fd, FollowedFileState state);
  ~FollowedFile();
  FollowedFile(const FollowedFile&) = delete;
  FollowedFile& operator=(const FollowedFile&) = delete;

  // Whether `state` fits what is open as `fd`: the same first bytes, and the same ones before the offset.
  static bool Fits(int fd, const FollowedFileState& state);

  // *line is valid until the next call.
  Result<Next> ReadLine(std::string_view* line);
  // The next line, were it not that its end is missing; for a file that will not grow any more.
  bool TakeRest(std::string_view* line);
  // What was taken is at the server.
  void Commit();
  // After kTruncated: from the beginning. Everything that was taken must be committed.
  void StartOver(int64_t now_ns);

  // Takes over where another file, of which this is a copy, was left.
  Status GoOnFrom(const FollowedFileState& original);

  // Leaves out everything there is; its state then says so.
  void SkipToEnd();

  const FollowedFileState& state() const { return state_; }
  FollowedFileState* mutable_state() { return &state_; }
  uint64_t taken() const { return taken_; }  // offset after the last line that was taken
  // The time of the last line that was taken; 0 = there is none.
  int64_t last_ns() const { return last_ns_; }
  void set_last_ns(int64_t ns) { last_ns_ = ns; }
  // Whether nothing of it was looked at yet.
  bool untouched() const { return taken_ == 0 && buffer_.empty(); }
  // Bytes that were read and not taken: at the end of the file those behind its last whole line.
  bool has_rest() const { return buffer_.size() > next_; }
  // Every whole line that the file has now was taken.
  bool AtEnd() const;
  bool deleted() const;

  // For the caller's bookkeeping.
  bool in_batch = false;
  int64_t batch_first_ns = 0;  // the time of its first line in the batch
  bool matched = true;         // by a pattern, under its present path
  bool held = false;           // a copy of another file: not read
  bool closing = false;        // to be dropped once everything is committed
  std::chrono::steady_clock::time_point last_growth;

 private:
  Result<bool> Fill();
  bool Intact();
  bool Changed();

  const int fd_;
  FollowedFileState state_;
  uint64_t taken_;
  int64_t last_ns_;
  // Bytes of the file from buffer_begin_ on. Those before next_ are taken; the last kTailBytesMax of them are kept.
  std::string buffer_;
  uint64_t buffer_begin_;
  size_t next_ = 0;
  size_t scanned_ = 0;  // no line end between next_ and here
  bool truncated_ = false;
  int64_t seen_size_ = -1;
  timespec seen_time_{};
};

// A fingerprint of [begin, begin + bytes); fewer bytes where the file ends before.
FilePrint PrintOf(int fd, uint64_t begin, uint64_t bytes);

}  // namespace varve
