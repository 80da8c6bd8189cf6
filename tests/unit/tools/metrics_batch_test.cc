#include "tools/metrics_batch.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

TEST(MetricsFormat, IsToldByALine) {
  using enum MetricsFormat;
  struct Case {
    const char* line;
    MetricsFormat format;
  };
  const Case cases[] = {
      {R"({"metric":{"__name__":"x"},"values":[1]})", kJson},
      {"# UNIT x seconds", kOpenMetrics},
      {"# EOF", kOpenMetrics},
      {"# TYPE x counter", kUnknown},
      {"", kUnknown},
      {"x 1", kUnknown},
      {"x{a=\"b\"} 1", kUnknown},
      {"x{a=\"b c\"} 1 1700000000.5", kOpenMetrics},
      {"x 1 1700000000", kOpenMetrics},
      {"x 1 1700000000000", kPrometheus},
      {"{\"x.y\"} 1 1700000000000", kPrometheus},
      {"x 1 # {trace_id=\"t\"} 1", kOpenMetrics},
  };
  for (const Case& c : cases) EXPECT_EQ(SniffMetricsFormat(c.line), c.format) << c.line;
}

TEST(MetricsBatch, EndsBeforeAFamilyOnceItIsLargeEnough) {
  MetricsBatch batch;
  batch.Add("# TYPE a counter");
  EXPECT_FALSE(batch.IsFullBefore("# TYPE b counter"));
  const std::string sample = "a{x=\"" + std::string(MetricsBatch::kBytesWanted, 'y') + "\"} 1";
  batch.Add(sample);
  EXPECT_FALSE(batch.IsFullBefore("a 1"));
  EXPECT_FALSE(batch.IsFullBefore("# HELP a text"));
  EXPECT_TRUE(batch.IsFullBefore("# TYPE b counter"));
  EXPECT_TRUE(batch.IsFullBefore("{\"metric\":{}}"));
  EXPECT_TRUE(batch.IsFullBefore(std::string(MetricsBatch::kBytesMax, 'z')));
}

TEST(MetricsBatch, RepeatsTheFamilyAndCountsTheLinesOfTheFile) {
  MetricsBatch batch;
  for (const char* line : {"# HELP a Text.", "# TYPE a counter", "a_total 1 1"}) batch.Add(line);
  EXPECT_EQ(batch.InLinesOfTheFile("line 3: bad\n"), "line 3: bad\n");
  batch.Next();
  EXPECT_TRUE(batch.empty());
  batch.Add("a_total 2 2");
  batch.Add("a_total x");
  EXPECT_EQ(batch.body(), "# HELP a Text.\n# TYPE a counter\na_total 2 2\na_total x\n");
  EXPECT_EQ(batch.lines(), 2u);
  EXPECT_EQ(batch.InLinesOfTheFile("line 4: bad\nother line 4\nline 1: kept\n"),
            "line 5: bad\nother line 4\nline 1: kept\n");
  batch.Reset();
  EXPECT_EQ(batch.body(), "");
}

}  // namespace
}  // namespace varve
