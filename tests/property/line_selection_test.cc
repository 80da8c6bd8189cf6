// Selecting lines in bulk gives the rows that a naive look at every single line gives: random lines, random
// filters, random runs of rows. The naive side uses string::find and a fresh RE2 per filter, never ours.
#include <algorithm>
#include <cstdio>
#include <random>

#include <gtest/gtest.h>

#include "engine/model/regex.h"
#include "query/logql/pipeline.h"

namespace varve::logql {
namespace {

// Short words over few letters, so that needles often lie across the border of two lines.
constexpr const char* kWords[] = {
    "a",        "b",   "ab", "ba",      "err", "error",  "ERROR", "Error",        "k",
    "K",        "s",   " ",  "",        "foo", "foobar", "bar",   "\xE2\x84\xAA", "\xC5\xBF",
    "10.0.0.1", "::1", "\n", "timeout", "aab", "aba"};
constexpr const char* kRegexes[] = {
    "ab+a",        "(?i)error",  "(?i)k",   "(?i)ask",     "foo|bar",
    "^a",          "b$",         ".*foo.*", "foo.*bar",    "(err|time)o?r?u?t?",
    "a.b",         "",           ".*",      "\\d+\\.\\d+", "(?i)time(out)?",
    "(?i:foo)bar", "[ab]{3}",    "x?foo",   "(foo){1,2}b", "(?s)a.b",
    "(?i)s|foo",   "ab|(?i)foo", "o{2}",    "(ab|ba)a"};
constexpr const char* kPatterns[] = {"<_>a", "a<_>b", "<_>foo<_>", "foo<_>", "ab", "", "<_> <_>"};
constexpr const char* kIps[] = {"10.0.0.0/8", "::1", "10.0.0.1"};

bool NaivePattern(std::string_view line, std::string_view pattern) {
  if (line.empty() || pattern.empty()) return line.empty() && pattern.empty();
  bool capture = false;
  while (!pattern.empty()) {
    if (pattern.starts_with("<_>")) {
      capture = true;
      pattern.remove_prefix(3);
      continue;
    }
    const std::string_view literal = pattern.substr(0, pattern.find("<_>"));
    const size_t found = line.find(literal);
    if (found == std::string_view::npos || (capture && found == 0)) return false;
    line.remove_prefix(found + literal.size());
    pattern.remove_prefix(literal.size());
    capture = false;
  }
  return capture != line.empty();
}

class NaiveFilter {
 public:
  explicit NaiveFilter(const LineFilter& filter) : filter_(filter) {
    for (const LineFilterTerm& term : filter.terms) {
      regexes_.push_back(IsRegex() ? CompileRegex(term.text, {}).value() : nullptr);
    }
  }
  bool Matches(std::string_view line) const {
    const bool negated = filter_.op == LineFilterOp::kNotContains || filter_.op == LineFilterOp::kNotRegex ||
                         filter_.op == LineFilterOp::kNotPattern;
    bool any = false;
    for (size_t i = 0; i < filter_.terms.size(); ++i) any = any || MatchesTerm(i, line);
    return any != negated;
  }

 private:
  bool IsRegex() const { return filter_.op == LineFilterOp::kRegex || filter_.op == LineFilterOp::kNotRegex; }
  bool MatchesTerm(size_t i, std::string_view line) const {
    const LineFilterTerm& term = filter_.terms[i];
    if (IsRegex()) return RegexMatches(*regexes_[i], line);
    if (filter_.op == LineFilterOp::kPattern || filter_.op == LineFilterOp::kNotPattern) {
      return NaivePattern(line, term.text);
    }
    return line.find(term.text) != std::string_view::npos;
  }
  const LineFilter& filter_;
  std::vector<Regex> regexes_;
};

class LineSelection : public ::testing::Test {
 protected:
  size_t Below(size_t n) { return random_() % n; }

  std::string RandomText(size_t words_max) {
    std::string text;
    for (size_t i = Below(words_max + 1); i > 0; --i) text += kWords[Below(std::size(kWords))];
    return text;
  }

  LogColumns RandomLines(uint32_t rows) {
    LogColumns columns;
    columns.row_count = rows;
    columns.line_offsets.push_back(0);
    const size_t words_max = Below(3) == 0 ? 1 : 12;
    for (uint32_t i = 0; i < rows; ++i) {
      const std::string line = RandomText(words_max);
      columns.lines.insert(columns.lines.end(), line.begin(), line.end());
      columns.line_offsets.push_back(static_cast<uint32_t>(columns.lines.size()));
    }
    columns.lines.resize(columns.lines.size() + LogColumns::kLinePaddingBytes);
    return columns;
  }

  // Terms that match everything are tested apart: beside others they are ignored.
  LineFilter RandomFilter() {
    LineFilter filter;
    filter.op = static_cast<LineFilterOp>(Below(6));
    const size_t terms = 1 + (Below(3) == 0 ? Below(4) : 0);
    for (size_t i = 0; i < terms; ++i) {
      LineFilterTerm term;
      switch (filter.op) {
        case LineFilterOp::kContains:
        case LineFilterOp::kNotContains: term.text = RandomText(3); break;
        case LineFilterOp::kRegex:
        case LineFilterOp::kNotRegex: term.text = kRegexes[Below(std::size(kRegexes))]; break;
        case LineFilterOp::kPattern:
        case LineFilterOp::kNotPattern: term.text = kPatterns[Below(std::size(kPatterns))]; break;
      }
      const bool everything = filter.op != LineFilterOp::kPattern && filter.op != LineFilterOp::kNotPattern &&
                              (term.text.empty() || term.text == ".*");
      if (terms == 1 || !everything) filter.terms.push_back(term);
    }
    if (filter.terms.empty()) filter.terms.push_back({"a", false});
    return filter;
  }

  void SetUp() override {
    const unsigned seed = std::random_device{}();
    RecordProperty("seed", std::to_string(seed));
    std::printf("seed %u\n", seed);
    random_.seed(seed);
  }

  std::mt19937 random_;
};

TEST_F(LineSelection, BulkAgreesWithOneLineAtATime) {
  for (int round = 0; round < 4000; ++round) {
    std::vector<Stage> stages;
    for (size_t i = 1 + Below(3); i > 0; --i) stages.emplace_back(RandomFilter());
    const auto pipeline = Pipeline::Compile(stages, std::nullopt, {});
    ASSERT_TRUE(pipeline.ok()) << pipeline.status().message();
    const auto rows = static_cast<uint32_t>(Below(80));
    const LogColumns columns = RandomLines(rows);
    const auto begin = static_cast<uint32_t>(Below(rows + 1));
    const auto end = begin + static_cast<uint32_t>(Below(rows - begin + 1));
    std::vector<uint32_t> want = {4711};  // what stands in the selection already stays
    std::vector<uint32_t> got = want;
    for (uint32_t row = begin; row < end; ++row) {
      const bool all = std::all_of(stages.begin(), stages.end(), [&](const Stage& stage) {
        return NaiveFilter(std::get<LineFilter>(stage)).Matches(columns.Line(row));
      });
      if (all) want.push_back(row);
    }
    (*pipeline)->SelectLines(columns, begin, end, &got);
    std::string filters;
    for (const Stage& stage : stages) {
      const auto& filter = std::get<LineFilter>(stage);
      filters += " op" + std::to_string(static_cast<int>(filter.op));
      for (const LineFilterTerm& term : filter.terms) filters += " '" + term.text + "'";
    }
    ASSERT_EQ(got, want) << filters;
  }
}

// A filter behind a stage that changes the line is applied row by row; the answer is the same.
TEST_F(LineSelection, LeadingAndLaterFiltersAgree) {
  for (int round = 0; round < 500; ++round) {
    LineFilter filter = RandomFilter();
    if (Below(5) == 0)
      filter = {LineFilterOp::kContains, {{kIps[Below(std::size(kIps))], true}, {"foo", false}}};
    const LogColumns columns = RandomLines(40);
    const auto leading = Pipeline::Compile({filter}, std::nullopt, {});
    const auto later = Pipeline::Compile({Decolorize{}, filter}, std::nullopt, {});
    ASSERT_TRUE(leading.ok() && later.ok());
    std::vector<uint32_t> want;
    (*leading)->SelectLines(columns, 0, 40, &want);
    PipelineRunner runner(**later);
    const Labels stream;
    runner.SetStream(stream);
    std::vector<uint32_t> got;
    for (uint32_t row = 0; row < 40; ++row) {
      if (runner.Process(0, columns.Line(row), {})) got.push_back(row);
    }
    ASSERT_EQ(got, want);
  }
}

}  // namespace
}  // namespace varve::logql
