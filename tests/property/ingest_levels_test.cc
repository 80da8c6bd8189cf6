// Level detection against the rule written down as plainly as possible, on random lines rich in what the
// rule is about; and the SIMD kernels against their scalar twins on every alignment and length.
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ingest/level_detection.h"
#include "ingest/limits.h"

namespace varve {
namespace {

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}

// The key word rule, word by word.
std::string NaiveKeyword(const std::string& line) {
  static const std::pair<std::string, std::string> kWords[] = {
      {"trace", "trace"},       {"debug", "debug"}, {"fatal", "fatal"},
      {"critical", "critical"}, {"error", "error"}, {"err", "error"},
      {"warning", "warn"},      {"warn", "warn"},   {"info", "info"}};
  const std::string lower = Lower(line);
  std::string best = "unknown";
  size_t best_at = std::string::npos;
  for (const auto& [word, level] : kWords) {
    for (size_t at = lower.find(word); at != std::string::npos; at = lower.find(word, at + 1)) {
      const size_t end = at + word.size();
      const bool left = at == 0 || std::string(" \t\n[({\"=").find(lower[at - 1]) != std::string::npos;
      const bool right =
          end == lower.size() || std::string(" \t\n[](){}:,!\"=").find(lower[end]) != std::string::npos;
      if (!left || !right) continue;
      if (at < best_at) {
        best_at = at;
        best = level;
      }
      break;
    }
  }
  return best;
}

std::string NaiveParse(const std::string& value) {
  static const std::pair<std::string, std::string> kNames[] = {
      {"trace", "trace"},       {"trc", "trace"},    {"debug", "debug"},      {"dbg", "debug"},
      {"info", "info"},         {"inf", "info"},     {"information", "info"}, {"warn", "warn"},
      {"wrn", "warn"},          {"warning", "warn"}, {"error", "error"},      {"err", "error"},
      {"critical", "critical"}, {"fatal", "fatal"}};
  for (const auto& [name, level] : kNames) {
    if (Lower(value) == name) return level;
  }
  return "";
}

const char* const kPieces[] = {"trace",    "TRC",         "debug",
                               "Debug",    "dbg",         "fatal",
                               "FATAL",    "critical",    "error",
                               "ERROR",    "err",         "Err",
                               "warning",  "warn",        "WARN",
                               "wrn",      "info",        "Info",
                               "inf",      "information", "transaction",
                               "criteria", "deb",         "fat",
                               "war",      "x",           "level",
                               "lvl",      "LEVEL",       "severity",
                               "sev",      "msg",         " ",
                               " ",        "\t",          "\n",
                               "[",        "]",           "(",
                               ")",        "{",           "}",
                               ":",        ",",           "!",
                               "\"",       "=",           ".",
                               ";",        "-",           "<",
                               "_",        "|",           "\x1b[31m",
                               "\xc3\xa9", "0123456789",  "the quick brown fox"};

class Levels : public ::testing::Test {
 protected:
  Levels() : seed_(std::random_device{}()), random_(seed_) { RecordProperty("seed", std::to_string(seed_)); }

  size_t Below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }
  std::string RandomLine(const std::vector<std::string>& pieces, size_t max_pieces) {
    std::string line;
    for (size_t n = Below(max_pieces + 1); n > 0; --n) line += pieces[Below(pieces.size())];
    return line;
  }

  const unsigned seed_;
  std::mt19937 random_;
  const IngestLimits limits_;
  const LevelDetector detector_{limits_.log_level_fields, limits_.log_level_from_json_max_depth};
};

TEST_F(Levels, KeywordsAreFoundAsTheRuleSays) {
  const std::vector<std::string> pieces(std::begin(kPieces), std::end(kPieces));
  for (int i = 0; i < 200'000; ++i) {
    const std::string line = RandomLine(pieces, 1 + Below(40));
    ASSERT_EQ(LevelName(FindLevelKeyword(line)), NaiveKeyword(line)) << "seed " << seed_ << ": " << line;
    ASSERT_EQ(FindLevelKeyword(line), FindLevelKeywordScalar(line)) << "seed " << seed_ << ": " << line;
    ASSERT_EQ(MayNameLevelField(line), MayNameLevelFieldScalar(line)) << "seed " << seed_ << ": " << line;
  }
}

TEST_F(Levels, KernelsSeeEveryPosition) {
  for (size_t size = 3; size < 140; ++size) {
    for (size_t at = 0; at + 3 <= size; ++at) {
      std::string line(size, ' ');
      line.replace(at, 3, "err");
      ASSERT_EQ(FindLevelKeyword(line), Level::kError) << at << " of " << size;
      line.replace(at, 3, "lVl");
      ASSERT_TRUE(MayNameLevelField(line)) << at << " of " << size;
      ASSERT_EQ(FindLevelKeyword(line), Level::kUnknown);
      line.replace(at, 3, "lev");
      line[at + 2] = 'w';
      ASSERT_FALSE(MayNameLevelField(line)) << at << " of " << size;
    }
  }
}

TEST_F(Levels, KernelsFoldLettersOnly) {
  for (int a = 0; a < 256; ++a) {
    for (const size_t at : {size_t{0}, size_t{1}, size_t{2}}) {
      std::string line = std::string(40, ' ') + "err" + std::string(40, ' ');
      line[40 + at] = static_cast<char>(a);
      ASSERT_EQ(FindLevelKeyword(line), FindLevelKeywordScalar(line)) << a;
    }
  }
}

// Well-formed pairs, built so that the answer is known.
TEST_F(Levels, LogfmtTakesTheBestField) {
  // Position in log_level_fields of each name that matters when case is ignored.
  const std::vector<std::pair<std::string, int>> names = {
      {"level", 0},          {"log.level", 3}, {"severity", 4}, {"severitytext", 7}, {"lvl", 8},
      {"severity_text", 11}, {"msg", 99},      {"levels", 99},  {"xlvl", 99}};
  const std::vector<std::string> values = {"trc", "WARN", "err", "custom", "Information", "", "x", "7"};
  for (int i = 0; i < 100'000; ++i) {
    std::string line;
    int best = 99;
    std::string best_value;
    for (size_t n = 1 + Below(8); n > 0; --n) {
      auto [name, position] = names[Below(names.size())];
      for (char& c : name) {
        if (Below(3) == 0 && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
      }
      const std::string value = values[Below(values.size())];
      const bool quoted = Below(3) == 0;
      if (!line.empty()) line += Below(4) == 0 ? "  " : " ";
      line += name + "=" + (quoted ? "\"" + value + "\"" : value);
      if (position < best) {
        best = position;
        best_value = value;
      }
    }
    std::string expected = NaiveParse(best_value);
    if (expected.empty()) expected = NaiveKeyword(line);
    ASSERT_EQ(LevelName(detector_.FromLine(line)), expected) << "seed " << seed_ << ": " << line;
  }
}

TEST_F(Levels, JsonTakesTheFirstStringFieldInDocumentOrder) {
  const std::vector<std::string> names = {"level", "LEVEL", "Lvl", "severity", "SeverityText",
                                          "lVl",   "msg",   "x",   "log.level"};
  const std::vector<std::string> values = {
      "\"trc\"",     "\"WARN\"", "\"err\"", "\"custom\"",
      "\"\"",        "30",       "null",    "[\"level\",{\"level\":\"dbg\"}]",
      "\"a\\\"b}{\""};
  for (int i = 0; i < 100'000; ++i) {
    bool found = false;
    std::string found_value;
    const auto object = [&](auto&& self, int depth) -> std::string {
      std::string text = "{";
      for (size_t n = Below(4); n > 0; --n) {
        if (text.size() > 1) text += Below(2) == 0 ? "," : " , ";
        const std::string name = names[Below(names.size())];
        text += "\"" + name + "\":";
        if (depth < 4 && Below(3) == 0) {
          text += self(self, depth + 1);
          continue;
        }
        const std::string value = values[Below(values.size())];
        text += value;
        const bool known = std::find(limits_.log_level_fields.begin(), limits_.log_level_fields.end(),
                                     name) != limits_.log_level_fields.end();
        if (!found && depth <= 2 && known && value[0] == '"') {
          found = true;
          found_value = value.substr(1, value.size() - 2);
        }
      }
      return text + "}";
    };
    const std::string line = object(object, 1);
    std::string expected = NaiveParse(found_value);
    if (expected.empty()) expected = NaiveKeyword(line);
    ASSERT_EQ(LevelName(detector_.FromLine(line)), expected) << "seed " << seed_ << ": " << line;
  }
}

TEST_F(Levels, NothingInTheLineBreaksTheScan) {
  for (int i = 0; i < 100'000; ++i) {
    std::string line(Below(80), '\0');
    for (char& c : line) c = "{}\"\\:,[]= \nleverr\xff\x00u"[Below(20)];
    if (Below(2) == 0) line = "{" + line + "}";
    const Level level = detector_.FromLine(line);
    ASSERT_LT(static_cast<int>(level), kLevelCount) << "seed " << seed_;
  }
}

}  // namespace
}  // namespace varve
