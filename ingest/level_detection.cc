#include "ingest/level_detection.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "ingest/json_scan.h"
#include "ingest/logfmt_scan.h"

namespace varve {
namespace {

struct Spelling {
  std::string_view text;
  Level level;
};
constexpr Spelling kSpellings[] = {
    {"trace", Level::kTrace}, {"trc", Level::kTrace},         {"debug", Level::kDebug},
    {"dbg", Level::kDebug},   {"info", Level::kInfo},         {"inf", Level::kInfo},
    {"warn", Level::kWarn},   {"information", Level::kInfo},  {"wrn", Level::kWarn},
    {"error", Level::kError}, {"warning", Level::kWarn},      {"err", Level::kError},
    {"fatal", Level::kFatal}, {"critical", Level::kCritical},
};

bool EqualFold(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::array<std::string, kLevelCount> EncodeAllLevels() {
  std::array<std::string, kLevelCount> encoded;
  for (int i = 0; i < kLevelCount; ++i) {
    std::vector<MetadataPair> pairs{{kDetectedLevel, LevelName(static_cast<Level>(i))}};
    EncodeMetadata(&pairs, &encoded[static_cast<size_t>(i)]);
  }
  return encoded;
}

// OTLP's severity numbers.
std::string_view FromSeverityNumber(std::string_view text) {
  int64_t number = 0;
  const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool twice_signed = digits.size() != text.size() && digits.starts_with('-');
  if (error != std::errc() || end != digits.data() + digits.size() || twice_signed)
    return LevelName(Level::kInfo);
  if (number == 0 || number > 24) return LevelName(Level::kUnknown);
  if (number <= 4) return LevelName(Level::kTrace);
  if (number <= 8) return LevelName(Level::kDebug);
  if (number <= 12) return LevelName(Level::kInfo);
  if (number <= 16) return LevelName(Level::kWarn);
  if (number <= 20) return LevelName(Level::kError);
  return LevelName(Level::kFatal);
}

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Whether the first and the last character that are not white space are braces.
bool StandsInBraces(std::string_view line) {
  size_t begin = 0;
  while (begin < line.size() && IsSpace(line[begin])) ++begin;
  if (begin == line.size() || line[begin] != '{') return false;
  size_t end = line.size();
  while (IsSpace(line[end - 1])) --end;
  return line[end - 1] == '}';
}

bool AllNamedByLetters(const std::vector<std::string>& fields) {
  return std::all_of(fields.begin(), fields.end(), [](const std::string& f) { return MayNameLevelField(f); });
}

}  // namespace

std::string_view LevelName(Level level) {
  switch (level) {
    case Level::kUnknown: return "unknown";
    case Level::kTrace: return "trace";
    case Level::kDebug: return "debug";
    case Level::kInfo: return "info";
    case Level::kWarn: return "warn";
    case Level::kError: return "error";
    case Level::kCritical: return "critical";
    case Level::kFatal: return "fatal";
  }
  return "unknown";
}

Level ParseLevel(std::string_view text) {
  if (text.size() < 3 || text.size() > 11) return Level::kUnknown;
  for (const Spelling& spelling : kSpellings) {
    if (EqualFold(text, spelling.text)) return spelling.level;
  }
  return Level::kUnknown;
}

std::string_view NormalisedLevel(std::string_view text) {
  const Level level = ParseLevel(text);
  return level == Level::kUnknown ? text : LevelName(level);
}

std::string_view EncodedLevelMetadata(Level level) {
  static const std::array<std::string, kLevelCount> kEncoded = EncodeAllLevels();
  return kEncoded[static_cast<size_t>(level)];
}

LevelDetector::LevelDetector(std::vector<std::string> fields, uint32_t json_max_depth)
    : fields_(std::move(fields)),
      json_max_depth_(json_max_depth == 0 ? kJsonDepthMax : std::min(json_max_depth, kJsonDepthMax)),
      filter_by_letters_(AllNamedByLetters(fields_)) {}

std::string_view LevelDetector::FromLabels(const Labels& labels) const {
  for (const std::string& field : fields_) {
    if (const std::string_view value = labels.Get(field); !value.empty()) return NormalisedLevel(value);
  }
  return {};
}

std::string_view LevelDetector::FromMetadata(const std::vector<MetadataPair>& pairs) const {
  std::string_view best;
  std::string_view severity_number;
  size_t best_field = fields_.size();
  for (const auto& [name, value] : pairs) {
    if (name == "severity_number") severity_number = value;
    for (size_t i = 0; i < best_field; ++i) {
      if (name == fields_[i]) {
        best = value;
        best_field = i;
      }
    }
  }
  if (!best.empty()) return NormalisedLevel(best);
  return severity_number.empty() ? std::string_view() : FromSeverityNumber(severity_number);
}

Level LevelDetector::FromLine(std::string_view line) const {
  Level level = Level::kUnknown;
  if (StandsInBraces(line)) {
    bool found = false;
    // A key may also be spelled with escapes, which the filter by letters would miss.
    if (!filter_by_letters_ || MayNameLevelField(line) || line.find('\\') != std::string_view::npos) {
      level = ParseLevel(JsonField(line, 1, &found));
    }
  } else if (!line.empty() && std::memchr(line.data(), '=', line.size()) != nullptr) {
    if (!filter_by_letters_ || MayNameLevelField(line)) level = LogfmtLevel(line);
  }
  return level != Level::kUnknown ? level : FindLevelKeyword(line);
}

bool LevelDetector::IsField(std::string_view name) const {
  return std::find(fields_.begin(), fields_.end(), name) != fields_.end();
}

// The raw value of the first string field with one of the names, in document order.
std::string_view LevelDetector::JsonField(std::string_view object, uint32_t depth, bool* found) const {
  JsonObjectScan scan(object);
  JsonObjectScan::Field field;
  while (scan.Next(&field)) {
    if (field.kind == JsonObjectScan::Kind::kString) {
      if (!IsField(field.key)) continue;
      *found = true;
      return field.value;
    }
    if (field.kind == JsonObjectScan::Kind::kObject && depth < json_max_depth_) {
      const std::string_view value = JsonField(field.value, depth + 1, found);
      if (*found) return value;
    }
  }
  return {};
}

// What the field says whose name is earliest in the list; of several, the first.
Level LevelDetector::LogfmtLevel(std::string_view line) const {
  Level best = Level::kUnknown;
  size_t best_field = fields_.size();
  LogfmtScan scan(line);
  while (best_field != 0 && scan.Next()) {
    for (size_t i = 0; i < best_field; ++i) {
      if (EqualFold(scan.key(), fields_[i])) {
        best = ParseLevel(scan.value());
        best_field = i;
      }
    }
  }
  return best;
}

}  // namespace varve
