// The body of a Loki push request with several streams: protobuf in a snappy block.
//
// Threads: thread-compatible. Ownership: everything is copied.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace varve {

class PushBody {
 public:
  using Metadata = std::span<const std::pair<std::string_view, std::string_view>>;

  // `labels` as Labels::ToString writes them.
  void Add(const std::string& labels, int64_t ts_ns, std::string_view line, Metadata metadata);
  // The bytes to send; the body stays as it is, so that it can be sent again.
  std::string Encode() const;
  void Clear();

  uint64_t lines() const { return lines_; }
  uint64_t line_bytes() const { return line_bytes_; }

 private:
  std::map<std::string, std::string> streams_;  // labels to protobuf fields "entries" of StreamAdapter
  uint64_t lines_ = 0;
  uint64_t line_bytes_ = 0;
};

}  // namespace varve
