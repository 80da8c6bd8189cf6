#include "query/logql/values/duration.h"

#include <utility>

namespace varve::logql {
namespace {

constexpr uint64_t kLimit = 1ULL << 63;

// Go's time package quotes in its own way: every byte that is not printable ASCII as \xNN.
void AppendQuoted(std::string* out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out->push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= 0x80 || byte < ' ') {
      out->append("\\x");
      out->push_back(kHex[byte >> 4]);
      out->push_back(kHex[byte & 15]);
    } else {
      if (c == '"' || c == '\\') out->push_back('\\');
      out->push_back(c);
    }
  }
  out->push_back('"');
}

uint64_t UnitNs(std::string_view unit) {
  static constexpr std::pair<std::string_view, uint64_t> kUnits[] = {
      {"ns", 1},         {"us", 1'000},        {"\xC2\xB5s", 1'000},         {"\xCE\xBCs", 1'000},
      {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60ULL * 1'000'000'000}, {"h", 3600ULL * 1'000'000'000}};
  for (const auto& [name, ns] : kUnits) {
    if (name == unit) return ns;
  }
  return 0;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

class DurationReader {
 public:
  explicit DurationReader(std::string_view text) : text_(text), rest_(text) {}

  bool Read(int64_t* value_ns, std::string* error) {
    bool negative = false;
    if (!rest_.empty() && (rest_[0] == '-' || rest_[0] == '+')) {
      negative = rest_[0] == '-';
      rest_.remove_prefix(1);
    }
    if (rest_ == "0") {
      *value_ns = 0;
      return true;
    }
    if (rest_.empty()) return Invalid(error);
    uint64_t total = 0;
    while (!rest_.empty()) {
      uint64_t part = 0;
      if (!ReadPart(&part, error)) return false;
      total += part;
      if (total > kLimit) return Invalid(error);
    }
    if (!negative && total == kLimit) return Invalid(error);
    *value_ns = static_cast<int64_t>(negative ? 0 - total : total);
    return true;
  }

 private:
  // One number and its unit.
  bool ReadPart(uint64_t* part, std::string* error) {
    if (rest_[0] != '.' && !IsDigit(rest_[0])) return Invalid(error);
    uint64_t whole = 0;
    bool any = false;
    for (; !rest_.empty() && IsDigit(rest_[0]); rest_.remove_prefix(1), any = true) {
      if (whole > kLimit / 10) return Invalid(error);
      whole = whole * 10 + static_cast<uint64_t>(rest_[0] - '0');
      if (whole > kLimit) return Invalid(error);
    }
    uint64_t fraction = 0;
    double scale = 1;
    if (!rest_.empty() && rest_[0] == '.') {
      rest_.remove_prefix(1);
      bool overflow = false;  // further digits carry no weight
      for (; !rest_.empty() && IsDigit(rest_[0]); rest_.remove_prefix(1), any = true) {
        if (overflow || fraction > (kLimit - 1) / 10) {
          overflow = true;
          continue;
        }
        const uint64_t next = fraction * 10 + static_cast<uint64_t>(rest_[0] - '0');
        if (next > kLimit) {
          overflow = true;
          continue;
        }
        fraction = next;
        scale *= 10;
      }
    }
    if (!any) return Invalid(error);
    size_t unit_size = 0;
    while (unit_size < rest_.size() && rest_[unit_size] != '.' && !IsDigit(rest_[unit_size])) ++unit_size;
    if (unit_size == 0) return Fail(error, "time: missing unit in duration ");
    const std::string_view unit_text = rest_.substr(0, unit_size);
    rest_.remove_prefix(unit_size);
    const uint64_t unit = UnitNs(unit_text);
    if (unit == 0) {
      if (error != nullptr) {
        *error = "time: unknown unit ";
        AppendQuoted(error, unit_text);
        error->append(" in duration ");
        AppendQuoted(error, text_);
      }
      return false;
    }
    if (whole > kLimit / unit) return Invalid(error);
    whole *= unit;
    if (fraction > 0) {
      whole += static_cast<uint64_t>(static_cast<double>(fraction) * (static_cast<double>(unit) / scale));
      if (whole > kLimit) return Invalid(error);
    }
    *part = whole;
    return true;
  }

  bool Invalid(std::string* error) { return Fail(error, "time: invalid duration "); }

  bool Fail(std::string* error, std::string_view words) {
    if (error != nullptr) {
      *error = words;
      AppendQuoted(error, text_);
    }
    return false;
  }

  std::string_view text_;
  std::string_view rest_;
};

}  // namespace

bool ParseGoDuration(std::string_view text, int64_t* value_ns, std::string* error) {
  return DurationReader(text).Read(value_ns, error);
}

double DurationSeconds(int64_t duration_ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  return static_cast<double>(duration_ns / kSecond) + static_cast<double>(duration_ns % kSecond) / 1e9;
}

}  // namespace varve::logql
