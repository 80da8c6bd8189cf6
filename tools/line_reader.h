// Reads lines from a file, plain or gzip (told by its first bytes), or from standard input.
//
// A line ends at '\n', which is not part of it; the last one may lack it. Memory: one line, at most
// kLineBytesMax, and two buffers of 64 KB.
// Errors: kIoError and kCorruption name the file; kTooLarge a line beyond kLineBytesMax.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace varve {

class LineReader {
  struct Impl;

 public:
  static constexpr size_t kLineBytesMax = 64 << 20;

  enum class Next {
    kLine,
    kIdle,  // a pipe has had nothing for a while; ask again
    kEnd,
  };

  // For Open.
  explicit LineReader(std::unique_ptr<Impl> impl);
  // "-" is standard input.
  static Result<std::unique_ptr<LineReader>> Open(const std::string& path);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // On kLine, *line is valid until the next call. `wait_ms` is how long a pipe may keep us waiting.
  Result<Next> Read(std::string_view* line, int wait_ms);

  // Bytes of the file read so far (compressed, where it is), and its size; 0 = unknown.
  uint64_t bytes_read() const;
  uint64_t bytes_total() const;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace varve
