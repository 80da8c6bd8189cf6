// Patterns over random lines of mixed formats, laid out at random over sources: every line is counted once at
// most, only under a pattern that the pattern filter finds it by, in its step and level; and threads do not
// matter. VARVE_PROPERTY_SEED overrides.

#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "engine/model/log_entry.h"
#include "query/logql/line_match/line_filter.h"
#include "query/patterns/pattern_query.h"
#include "tests/support/memory_engine.h"

namespace varve {
namespace {

using testing::MemoryEngine;
using testing::MemoryEngineOptions;

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(engine_() % n); }
  std::string Pick(std::initializer_list<const char*> items) {
    return *(items.begin() + Below(static_cast<uint32_t>(items.size())));
  }

 private:
  std::mt19937_64 engine_;
};

// Words that are hard for patterns: delimiters, captures, quotes, what ends a line early.
std::string Word(Random& random) {
  const auto number = std::to_string(random.Below(1000));
  return random.Pick({"GET",     "PUT",      "root", "end",      "-",   "<init>", "<_>",         "a=b",
                      "\"x y\"", "\\\"",     "'",    "/a/b?c=d", "[x]", "",       "caf\xc3\xa9", "\xff",
                      "\x01",    "\x1b[31m", "\n",   "200",      "Dec", ":",      "a:b"}) +
         (random.Below(3) == 0 ? number : "");
}

std::string Line(Random& random) {
  std::string line;
  const uint32_t words = 1 + random.Below(4);
  switch (random.Below(4)) {
    case 0:
      for (uint32_t i = 0; i < words; ++i) line += Word(random) + random.Pick({" ", " ", ", ", " end"});
      return line;
    case 1:
      return "level=info msg=\"" + Word(random) + " " + Word(random) + "\" k=" + Word(random) +
             random.Pick({"", " end", " bare"});
    case 2: return "{\"k\":" + std::to_string(random.Below(700)) + ",\"msg\":\"" + Word(random) + " done\"}";
    default: return "{\"a\":{\"b\":\"" + Word(random) + "\"},\"c\":[" + Word(random) + "],\"d\":true}";
  }
}

struct Row {
  int64_t ts_ns;
  std::string level;
  std::string line;
};

class PatternProperty : public ::testing::TestWithParam<int> {};

TEST_P(PatternProperty, CountsWhatTheFilterFinds) {
  const char* fixed = std::getenv("VARVE_PROPERTY_SEED");
  const uint64_t seed = fixed != nullptr ? std::strtoull(fixed, nullptr, 10) : std::random_device{}();
  SCOPED_TRACE("VARVE_PROPERTY_SEED=" + std::to_string(seed));
  Random random(seed);
  MemoryEngineOptions options;
  options.rows_per_source = 1 + random.Below(100);
  MemoryEngine one(options);
  options.query_threads = 4;
  MemoryEngine many(options);

  std::set<std::tuple<int64_t, std::string, std::string>> rows;  // duplicates count once
  const Labels stream = Labels::FromUnsorted({{"job", "a"}});
  for (int i = 0; i < 600; ++i) {
    Row row{static_cast<int64_t>(random.Below(100)) * kNsPerSecond, random.Pick({"info", "error"}),
            Line(random)};
    std::string metadata;
    std::vector<MetadataPair> pairs = {{"detected_level", row.level}};
    EncodeMetadata(&pairs, &metadata);
    const bool seal = random.Below(100) == 0;
    for (MemoryEngine* engine : {&one, &many}) {
      engine->Add(stream, row.ts_ns, row.line, metadata);
      if (seal) engine->Seal();
    }
    rows.emplace(row.ts_ns, row.level, row.line);
  }

  PatternRequest request;
  request.matchers.push_back(*Matcher::Create("job", MatchOp::kEqual, "a"));
  request.range = {0, 100 * kNsPerSecond};
  request.step_ns = 10 * kNsPerSecond;
  QueryLimits limits;
  limits.pattern_lines_min = 1;
  limits.max_patterns = 100'000;
  const auto result = RunPatternQuery(one, request, limits);
  ASSERT_TRUE(result.ok()) << result.status().message();
  const auto again = RunPatternQuery(many, request, limits);
  ASSERT_TRUE(again.ok());
  ASSERT_EQ(result->series.size(), again->series.size());

  uint64_t counted = 0;
  for (size_t i = 0; i < result->series.size(); ++i) {
    const PatternSeries& series = result->series[i];
    EXPECT_EQ(series.pattern, again->series[i].pattern);
    EXPECT_EQ(series.samples_ns, again->series[i].samples_ns);
    const auto filter =
        logql::CompiledLineFilter::Compile({logql::LineFilterOp::kPattern, {{series.pattern}}});
    ASSERT_TRUE(filter.ok()) << series.pattern;
    std::map<int64_t, uint64_t> found;
    for (const auto& [ts_ns, level, line] : rows) {
      if (level == series.level && filter->Matches(line)) ++found[ts_ns / request.step_ns * request.step_ns];
    }
    uint64_t lines = 0;
    for (const auto& [step_ns, count] : series.samples_ns) {
      EXPECT_GT(count, 0U);
      EXPECT_LE(count, found[step_ns]) << series.pattern;
      lines += count;
    }
    EXPECT_EQ(lines, series.lines);
    counted += lines;
  }
  EXPECT_LE(counted, rows.size());
  EXPECT_EQ(counted, result->lines_in_patterns);
  // Lines are left out only where a value holds the text behind it; that is rare even among these.
  EXPECT_GE(counted * 10, rows.size() * 9);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PatternProperty, ::testing::Range(0, 20));

}  // namespace
}  // namespace varve
