#include "query/logql/ip_match.h"

#include "engine/model/labels.h"

namespace varve::logql {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsHex(char c) { return HexDigit(c) >= 0; }

bool ParseV4(std::string_view text, uint8_t* out) {
  for (int octet = 0; octet < 4; ++octet) {
    size_t size = 0;
    int value = 0;
    while (size < text.size() && size < 4 && IsDigit(text[size])) value = value * 10 + (text[size++] - '0');
    if (size == 0 || size > 3 || value > 255 || (size > 1 && text[0] == '0')) return false;
    out[octet] = static_cast<uint8_t>(value);
    text.remove_prefix(size);
    if (octet == 3) return text.empty();
    if (text.empty() || text[0] != '.') return false;
    text.remove_prefix(1);
  }
  return false;
}

bool ParseV6(std::string_view text, uint8_t* out) {
  size_t filled = 0;
  size_t gap = SIZE_MAX;  // where "::" stands
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    if (filled == 16) return false;
    size_t size = 0;
    int value = 0;
    while (size < text.size() && size < 5 && IsHex(text[size])) value = value * 16 + HexDigit(text[size++]);
    if (size < text.size() && text[size] == '.') {  // the last 32 bits as IPv4
      if (filled > 12 || !ParseV4(text, out + filled)) return false;
      filled += 4;
      break;
    }
    if (size == 0 || size > 4) return false;
    out[filled++] = static_cast<uint8_t>(value >> 8);
    out[filled++] = static_cast<uint8_t>(value & 0xFF);
    text.remove_prefix(size);
    if (text.empty()) break;
    if (text[0] != ':' || text.size() == 1) return false;
    text.remove_prefix(1);
    if (text[0] == ':') {
      if (gap != SIZE_MAX) return false;
      gap = filled;
      text.remove_prefix(1);
    }
  }
  if (filled == 16) return gap == SIZE_MAX;
  if (gap == SIZE_MAX) return false;
  const size_t moved = filled - gap;
  for (size_t i = 0; i < moved; ++i) out[15 - i] = out[filled - 1 - i];
  for (size_t i = gap; i < 16 - moved; ++i) out[i] = 0;
  return true;
}

bool LooksLikeV4(std::string_view text) {
  return text.size() > 3 && IsDigit(text[0]) && (text[1] == '.' || text[2] == '.' || text[3] == '.');
}

// "::", or up to four hexadecimal digits and a colon. Unlike in Loki, also at the very end of the text.
bool LooksLikeV6(std::string_view text) {
  if (text.starts_with("::")) return true;
  for (size_t i = 0; i < 4 && i + 1 < text.size() && IsHex(text[i]); ++i) {
    if (text[i + 1] == ':') return true;
  }
  return false;
}

// Characters that an address can begin with.
constexpr std::array<bool, 256> MakeStarts() {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("0123456789abcdefABCDEF:")) table[static_cast<uint8_t>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kStarts = MakeStarts();

template <typename Accept>
size_t Span(std::string_view text, Accept accept) {
  size_t size = 0;
  while (size < text.size() && accept(text[size])) ++size;
  return size;
}

}  // namespace

bool ParseIpAddress(std::string_view text, IpAddress* address) {
  *address = {};
  address->is_v6 = text.find(':') != std::string_view::npos;
  return address->is_v6 ? ParseV6(text, address->bytes.data()) : ParseV4(text, address->bytes.data());
}

Result<IpMatcher> IpMatcher::Create(const std::string& pattern) {
  const auto invalid = [&] { return InvalidArgument("ip: invalid pattern: " + GoQuoted(pattern)); };
  IpMatcher matcher;
  if (ParseIpAddress(pattern, &matcher.low_)) {
    matcher.high_ = matcher.low_;
    return matcher;
  }
  const std::string_view text = pattern;
  if (const size_t slash = text.find('/'); slash != std::string_view::npos) {
    const std::string_view bits_text = text.substr(slash + 1);
    if (!ParseIpAddress(text.substr(0, slash), &matcher.low_)) return invalid();
    if (bits_text.empty() || bits_text.size() > 3 || (bits_text.size() > 1 && bits_text[0] == '0'))
      return invalid();
    size_t bits = 0;
    for (const char c : bits_text) {
      if (!IsDigit(c)) return invalid();
      bits = bits * 10 + static_cast<size_t>(c - '0');
    }
    const size_t size = matcher.low_.is_v6 ? 128 : 32;
    if (bits > size) return invalid();
    matcher.high_ = matcher.low_;
    for (size_t bit = bits; bit < size; ++bit) {
      const auto mask = static_cast<uint8_t>(0x80 >> (bit % 8));
      matcher.low_.bytes[bit / 8] &= static_cast<uint8_t>(~mask);
      matcher.high_.bytes[bit / 8] |= mask;
    }
    return matcher;
  }
  const size_t dash = text.find('-');
  if (dash == std::string_view::npos || !ParseIpAddress(text.substr(0, dash), &matcher.low_) ||
      !ParseIpAddress(text.substr(dash + 1), &matcher.high_) || matcher.low_.is_v6 != matcher.high_.is_v6 ||
      matcher.high_ < matcher.low_) {
    return invalid();
  }
  return matcher;
}

// Only IPv4 addresses, in text that is not one IPv6 address: "12:10.0.0.1".
bool IpMatcher::MatchesAnyV4(std::string_view text) const {
  IpAddress address;
  while (!text.empty()) {
    if (!LooksLikeV4(text)) {
      text.remove_prefix(1);
      continue;
    }
    const size_t size = Span(text, [](char c) { return IsDigit(c) || c == '.'; });
    if (ParseIpAddress(text.substr(0, size), &address) && Matches(address)) return true;
    text.remove_prefix(size);
  }
  return false;
}

bool IpMatcher::MatchesAny(std::string_view text) const {
  IpAddress address;
  while (true) {
    size_t skipped = 0;
    while (skipped < text.size() && !kStarts[static_cast<uint8_t>(text[skipped])]) ++skipped;
    if (skipped == text.size()) return false;
    text.remove_prefix(skipped);
    if (LooksLikeV4(text)) {
      const size_t size = Span(text, [](char c) { return IsDigit(c) || c == '.'; });
      if (ParseIpAddress(text.substr(0, size), &address) && Matches(address)) return true;
      text.remove_prefix(size);
    } else if (LooksLikeV6(text)) {
      const size_t size = Span(text, [](char c) { return IsHex(c) || c == ':' || c == '.'; });
      if (ParseIpAddress(text.substr(0, size), &address)) {
        if (Matches(address)) return true;
      } else if (MatchesAnyV4(text.substr(0, size))) {
        return true;
      }
      text.remove_prefix(size);
    } else {
      text.remove_prefix(1);
    }
  }
}

}  // namespace varve::logql
