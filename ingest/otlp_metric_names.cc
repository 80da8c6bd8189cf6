#include "ingest/otlp_metric_names.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace varve {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// UCUM's units that have a name in Prometheus.
constexpr auto kUnits = std::to_array<Pair>({
    {"%", "percent"},       {"1", ""},            {"A", "amperes"},       {"By", "bytes"},        {"Cel", "celsius"},
    {"GBy", "gigabytes"},   {"GiBy", "gibibytes"}, {"Hz", "hertz"},       {"J", "joules"},        {"KBy", "kilobytes"},
    {"KiBy", "kibibytes"},  {"MBy", "megabytes"},  {"MiBy", "mebibytes"}, {"TBy", "terabytes"},   {"TiBy", "tibibytes"},
    {"V", "volts"},         {"W", "watts"},        {"d", "days"},         {"g", "grams"},         {"h", "hours"},
    {"m", "meters"},        {"min", "minutes"},    {"ms", "milliseconds"}, {"ns", "nanoseconds"}, {"s", "seconds"},
    {"us", "microseconds"},
});
// What stands behind "per".
constexpr auto kPerUnits = std::to_array<Pair>({
    {"d", "day"}, {"h", "hour"}, {"m", "minute"}, {"mo", "month"}, {"s", "second"}, {"w", "week"}, {"y", "year"},
});

template <size_t N>
std::string_view Translated(const std::array<Pair, N>& table, std::string_view unit) {
  for (const auto& [from, to] : table) {
    if (from == unit) return to;
  }
  return unit;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string_view TrimmedSpace(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

struct UnitWords {
  std::string main;
  std::string per;  // "per_second"
};

// As they are; Cleaned makes them part of a name. Annotations in braces count for nothing.
UnitWords WordsOf(std::string_view unit) {
  UnitWords words;
  const size_t slash = unit.find('/');
  const std::string_view main = TrimmedSpace(unit.substr(0, slash));
  const auto annotated = [](std::string_view part) { return part.find_first_of("{}") != std::string_view::npos; };
  if (!annotated(main)) words.main = Translated(kUnits, main);
  if (slash == std::string_view::npos) return words;
  const std::string_view per = TrimmedSpace(unit.substr(slash + 1));
  if (!per.empty() && !annotated(per)) words.per = "per_" + std::string(Translated(kPerUnits, per));
  return words;
}

// Letters, digits and colons; all between them one underscore; none at the beginning.
std::string Cleaned(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (IsLetter(c) || IsDigit(c) || c == ':') {
      out.push_back(c);
    } else if (!out.empty() && out.back() != '_') {
      out.push_back('_');
    }
  }
  return out;
}

void TrimUnderscore(std::string* word) {
  if (word->ends_with('_')) word->pop_back();
}

// The runs of characters that `is_part` accepts.
template <typename Fn>
std::vector<std::string> Tokens(std::string_view name, Fn&& is_part) {
  std::vector<std::string> tokens;
  bool inside = false;
  for (const char c : name) {
    if (!is_part(c)) {
      inside = false;
      continue;
    }
    if (!inside) tokens.emplace_back();
    inside = true;
    tokens.back().push_back(c);
  }
  return tokens;
}

std::string JoinedName(const std::vector<std::string>& tokens) {
  std::string name;
  for (const std::string& token : tokens) {
    if (&token != &tokens.front()) name.push_back('_');
    name += token;
  }
  if (!name.empty() && IsDigit(name.front())) name.insert(name.begin(), '_');
  return name;
}

void MoveToEnd(std::vector<std::string>* tokens, std::string_view word) {
  std::erase(*tokens, word);
  tokens->emplace_back(word);
}

std::string EscapedWithSuffixes(std::string_view name, std::string_view unit, bool counter, bool gauge) {
  std::vector<std::string> tokens =
      Tokens(name, [](char c) { return IsLetter(c) || IsDigit(c) || c == ':'; });
  const UnitWords words = WordsOf(unit);
  const auto has = [&](const std::string& word) { return std::find(tokens.begin(), tokens.end(), word) != tokens.end(); };
  std::string main = Cleaned(words.main);
  std::string per = Cleaned(words.per);
  if (has(main)) main.clear();
  if (per == "per_") per.clear();
  TrimUnderscore(&per);
  if (has(per)) per.clear();
  if (!per.empty()) TrimUnderscore(&main);
  if (!main.empty()) tokens.push_back(main);
  if (!per.empty()) tokens.push_back(per);
  if (counter) MoveToEnd(&tokens, "total");
  if (gauge && unit == "1") MoveToEnd(&tokens, "ratio");
  return JoinedName(tokens);
}

// Cuts the suffix and the character in front of it.
void CutSuffix(std::string* name, std::string_view suffix) {
  if (name->ends_with(suffix) && name->size() > suffix.size() + 1) name->resize(name->size() - suffix.size() - 1);
}

std::string UnescapedWithSuffixes(std::string_view name, std::string_view unit, bool counter, bool gauge) {
  std::string out(name);
  const bool ratio = gauge && unit == "1";
  if (ratio) CutSuffix(&out, "ratio");
  if (counter) CutSuffix(&out, "total");
  const UnitWords words = WordsOf(unit);
  if (!words.per.empty()) CutSuffix(&out, words.per);
  if (!words.main.empty() && !out.ends_with(words.main)) out += "_" + words.main;
  if (!words.per.empty()) out += "_" + words.per;
  if (counter) out += "_total";
  if (ratio) out += "_ratio";
  return out;
}

// "" in place of a name that has become nothing but underscores.
std::string Meaningful(std::string built, std::string_view from) {
  if (built != from && built.find_first_not_of('_') == std::string::npos) built.clear();
  return built;
}

}  // namespace

std::string OtlpMetricName(std::string_view name, std::string_view unit, bool counter, bool gauge,
                           const OtlpMetricsConfig& config) {
  if (!config.escape()) {
    return config.suffixes() ? UnescapedWithSuffixes(name, unit, counter, gauge) : std::string(name);
  }
  if (config.suffixes()) return Meaningful(EscapedWithSuffixes(name, unit, counter, gauge), name);
  return Meaningful(
      JoinedName(Tokens(name, [](char c) { return IsLetter(c) || IsDigit(c) || c == ':' || c == '_'; })), name);
}

std::string OtlpLabelName(std::string_view name, const OtlpMetricsConfig& config) {
  std::string out;
  if (!config.escape() || name.empty()) return std::string(name);
  const bool reserved = name.size() > 4 && name.starts_with("__") && name.ends_with("__");
  const bool collapse = !config.label_name_preserve_multiple_underscores && !reserved;
  for (const char c : name) {
    if ((c & 0xC0) == 0x80) continue;  // the rest of a character
    const bool valid = IsLetter(c) || IsDigit(c) || c == '_';
    const char to = valid ? c : '_';
    if (to == '_' && collapse && out.ends_with('_')) continue;
    out.push_back(to);
  }
  if (out.empty()) return out;
  if (IsDigit(out.front())) {
    out.insert(0, "key_");
  } else if (config.label_name_underscore_sanitization && out.starts_with('_') && !out.starts_with("__")) {
    out.insert(0, "key");
  }
  return Meaningful(std::move(out), name);
}

std::string OtlpUnitName(std::string_view unit) {
  const UnitWords words = WordsOf(unit);
  const std::string main = Cleaned(words.main);
  const std::string per = Cleaned(words.per);
  std::string out = main.empty() || per.empty() ? main + per : main + "_" + per;
  if (out.starts_with('_')) out.erase(0, 1);
  TrimUnderscore(&out);
  return out;
}

}  // namespace varve
