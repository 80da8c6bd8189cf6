// Reads the key=value pairs of a line until the first that is malformed.
//
// Pairs are separated by bytes up to and including the space. A value is bare or in double quotes; a key may
// stand alone. Malformed: a '"' in a key or in a bare value, a '=' in a bare value or without a key, a quote
// that is not closed, an escape that does not exist, a key that is not UTF-8.
// Threads: thread-compatible. Ownership: views into the line, or (value with escapes) into this, until Next.
#pragma once

#include <string>
#include <string_view>

namespace varve {

class LogfmtScan {
 public:
  explicit LogfmtScan(std::string_view line) : p_(line.data()), end_(p_ + line.size()) {}

  // False at the end and from the first malformed pair on.
  bool Next();
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }

 private:
  bool QuotedValue();
  bool Stop() {
    p_ = end_;
    return false;
  }

  const char* p_;
  const char* end_;
  std::string_view key_;
  std::string_view value_;
  std::string decoded_value_;
};

}  // namespace varve
