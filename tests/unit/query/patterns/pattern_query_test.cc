#include "query/patterns/pattern_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/model/log_entry.h"
#include "query/logql/parser.h"
#include "tests/support/memory_engine.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MemoryEngine;
using testing::MemoryEngineOptions;

constexpr int64_t kSecond = kNsPerSecond;

class PatternQueryTest : public ::testing::Test {
 protected:
  explicit PatternQueryTest(MemoryEngineOptions options = {}) : engine_(std::move(options)) {
    limits_.pattern_lines_min = 1;
  }

  void Add(const char* job, int64_t second, const std::string& line, const char* level = nullptr) {
    std::string metadata;
    if (level != nullptr) {
      std::vector<MetadataPair> pairs = {{"detected_level", level}, {"trace", line}};
      EncodeMetadata(&pairs, &metadata);
    }
    engine_.Add(Labels::FromUnsorted({{"job", job}}), second * kSecond, line, metadata);
  }
  Result<PatternResult> Run(const char* selector, int64_t start, int64_t end, int64_t step) {
    PatternRequest request;
    VARVE_ASSIGN_OR_RETURN(request.matchers, logql::ParseMatchers(selector));
    request.range = {start * kSecond, end * kSecond};
    request.step_ns = step * kSecond;
    auto result = RunPatternQuery(engine_, request, limits_);
    EXPECT_EQ(engine_.query_budget()->used_bytes(), 0);
    return result;
  }
  // "level pattern time=lines …" in seconds.
  std::vector<std::string> Answer(const char* selector, int64_t start, int64_t end, int64_t step) {
    auto result = Run(selector, start, end, step);
    if (!result.ok()) return {result.status().message()};
    std::vector<std::string> lines = result->warnings;
    for (const PatternSeries& series : result->series) {
      std::string text = std::string(series.level) + " " + series.pattern;
      for (const auto& [t_ns, count] : series.samples_ns) {
        text += " " + std::to_string(t_ns / kSecond) + "=" + std::to_string(count);
      }
      lines.push_back(text);
    }
    return lines;
  }

  MemoryEngine engine_;
  QueryLimits limits_;
};

TEST_F(PatternQueryTest, CountsByStepAndLevelOverSources) {
  for (int i = 0; i < 30; ++i) {
    Add("a", i, "took " + std::to_string(i) + "ms", i % 3 == 0 ? "warn" : "info");
    if (i == 14) engine_.Seal();
  }
  Add("b", 5, "took 1ms", "info");
  EXPECT_THAT(Answer("{job=\"a\"}", 0, 30, 10),
              ElementsAre("info took <_> 0=6 10=7 20=7", "warn took <_> 0=4 10=3 20=3"));
  // The range is half open, steps are aligned to 1970.
  EXPECT_THAT(Answer("{job=\"a\"}", 9, 20, 10), ElementsAre("info took <_> 10=7", "warn took <_> 0=1 10=3"));
  EXPECT_THAT(Answer("{job=\"nosuch\"}", 0, 30, 10), IsEmpty());
}

TEST_F(PatternQueryTest, TakesLevelsFromLabelsTooAndTheRestIsUnknown) {
  engine_.Add(Labels::FromUnsorted({{"job", "a"}, {"detected_level", "error"}}), 0, "one x");
  Add("a", 0, "two y", "loud");
  Add("a", 1, "three zz z");
  EXPECT_THAT(Answer("{job=\"a\"}", 0, 9, 10),
              ElementsAre("error one x 0=1", "unknown three zz z 0=1", "unknown two y 0=1"));
}

TEST_F(PatternQueryTest, HandlesTimesBefore1970) {
  Add("a", -1, "x y");
  EXPECT_THAT(Answer("{job=\"a\"}", -20, 0, 10), ElementsAre("unknown x y -10=1"));
}

TEST_F(PatternQueryTest, CountsDuplicatesOnce) {
  for (int i = 0; i < 2; ++i) {
    Add("a", 1, "same line");
    engine_.Seal();
  }
  EXPECT_THAT(Answer("{job=\"a\"}", 0, 10, 10), ElementsAre("unknown same line 0=1"));
}

TEST_F(PatternQueryTest, HidesSmallPatternsAndBoundsTheirNumber) {
  for (int i = 0; i < 10; ++i) Add("a", i, "often " + std::to_string(i));
  for (int i = 0; i < 5; ++i) Add("a", i, "sometimes it is " + std::to_string(i), i == 0 ? "warn" : "info");
  Add("a", 0, "once, and never again");
  limits_.pattern_lines_min = 5;  // over all levels
  EXPECT_THAT(
      Answer("{job=\"a\"}", 0, 10, 10),
      ElementsAre("unknown often <_> 0=10", "info sometimes it is <_> 0=4", "warn sometimes it is <_> 0=1"));
  limits_.max_patterns = 1;
  EXPECT_THAT(Answer("{job=\"a\"}", 0, 10, 10), ElementsAre("unknown often <_> 0=10"));
}

class SmallSourcesTest : public PatternQueryTest {
 protected:
  SmallSourcesTest() : PatternQueryTest(Options()) {}
  static MemoryEngineOptions Options() {
    MemoryEngineOptions options;
    options.rows_per_source = 10;
    return options;
  }
};

TEST_F(SmallSourcesTest, CountsEveryNthSourceBeyondTheLimitAndSaysSo) {
  for (int i = 0; i < 100; ++i) Add("a", i, "took " + std::to_string(i) + "ms");
  limits_.max_pattern_lines = 50;
  EXPECT_THAT(
      Answer("{job=\"a\"}", 0, 100, 100),
      ElementsAre(
          "partial: patterns were counted in 50 of 100 lines and scaled up (limits.max_pattern_lines)",
          "unknown took <_> 0=100"));
  limits_.max_pattern_lines = 1;  // at least one source
  EXPECT_THAT(Answer("{job=\"a\"}", 0, 100, 100),
              ElementsAre(HasSubstr("in 10 of 100 lines"), "unknown took <_> 0=100"));
  limits_.max_pattern_lines = 0;
  EXPECT_THAT(Answer("{job=\"a\"}", 0, 100, 100), ElementsAre("unknown took <_> 0=100"));
}

TEST_F(SmallSourcesTest, KeepsTheLimitsOfQueries) {
  for (int i = 0; i < 100; ++i) Add("a", i, "took " + std::to_string(i) + "ms");
  limits_.required_labels = {"cluster"};
  EXPECT_THAT(Answer("{job=\"a\"}", 0, 100, 10),
              ElementsAre(HasSubstr("missing required matchers [cluster]")));
  limits_.required_labels.clear();
  limits_.max_query_memory_bytes = 2000;
  EXPECT_EQ(Run("{job=\"a\"}", 0, 100, 10).status().code(), Code::kResourceExhausted);
  limits_.max_query_memory_bytes = 0;
  limits_.max_query_bytes_read = 100;
  EXPECT_THAT(Answer("{job=\"a\"}", 0, 100, 10), ElementsAre(HasSubstr("too many bytes")));
}

TEST_F(SmallSourcesTest, StopsWhenCancelled) {
  Add("a", 0, "line");
  CancelToken cancel;
  cancel.Cancel();
  PatternRequest request;
  request.range = {0, kSecond};
  request.matchers = *logql::ParseMatchers("{job=\"a\"}");
  request.cancel = &cancel;
  EXPECT_EQ(RunPatternQuery(engine_, request, limits_).status().code(), Code::kCancelled);
}

}  // namespace
}  // namespace varve
