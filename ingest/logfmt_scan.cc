#include "ingest/logfmt_scan.h"

#include "ingest/utf8_repair.h"

namespace varve {
namespace {

bool IsGap(char c) { return static_cast<uint8_t>(c) <= ' '; }

// Decodes the escapes JSON has. False for any other. Runes do not matter beyond their being well formed,
// because no level has one, so \uXXXX above ASCII becomes U+FFFD.
bool DecodeQuoted(std::string_view raw, std::string* out) {
  out->clear();
  for (size_t i = 0; i < raw.size(); ++i) {
    if (static_cast<uint8_t>(raw[i]) < ' ') return false;
    if (raw[i] != '\\') {
      out->push_back(raw[i]);
      continue;
    }
    if (++i == raw.size()) return false;
    static constexpr std::string_view kLetters = "\"\\/'bfnrt";
    static constexpr std::string_view kMeaning = "\"\\/'\b\f\n\r\t";
    if (const size_t at = kLetters.find(raw[i]); at != std::string_view::npos) {
      out->push_back(kMeaning[at]);
      continue;
    }
    if (raw[i] != 'u' || i + 4 >= raw.size()) return false;
    uint32_t rune = 0;
    for (size_t k = i + 1; k <= i + 4; ++k) {
      const char c = raw[k];
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return false;
      rune = rune * 16 + static_cast<uint32_t>(digit);
    }
    char utf8[4];
    out->append(utf8, EncodeUtf8(rune < 0x80 ? rune : 0xFFFD, utf8));
    i += 4;
  }
  return true;
}

}  // namespace

bool LogfmtScan::Next() {
  value_ = {};
  while (p_ != end_ && IsGap(*p_)) ++p_;
  if (p_ == end_) return false;
  const char* begin = p_;
  bool ascii = true;
  while (p_ != end_ && !IsGap(*p_) && *p_ != '=') {
    if (*p_ == '"') return Stop();
    ascii &= static_cast<uint8_t>(*p_) < 0x80;
    ++p_;
  }
  key_ = {begin, static_cast<size_t>(p_ - begin)};
  if (!ascii && (!IsValidUtf8(key_) || key_.find("\xEF\xBF\xBD") != std::string_view::npos)) return Stop();
  if (p_ == end_ || *p_ != '=') return true;
  if (key_.empty()) return Stop();
  ++p_;
  if (p_ == end_ || IsGap(*p_)) return true;
  if (*p_ == '"') return QuotedValue();
  begin = p_;
  while (p_ != end_ && !IsGap(*p_)) {
    if (*p_ == '=' || *p_ == '"') return Stop();
    ++p_;
  }
  value_ = {begin, static_cast<size_t>(p_ - begin)};
  return true;
}

bool LogfmtScan::QuotedValue() {
  const char* const begin = ++p_;
  bool escaped = false;
  for (; p_ != end_; ++p_) {
    if (*p_ == '\\') {
      escaped = true;
      if (++p_ == end_) break;
    } else if (*p_ == '"') {
      value_ = {begin, static_cast<size_t>(p_ - begin)};
      ++p_;
      if (!escaped) return true;
      if (!DecodeQuoted(value_, &decoded_value_)) return Stop();
      value_ = decoded_value_;
      return true;
    }
  }
  return Stop();
}

}  // namespace varve
