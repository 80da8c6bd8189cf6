#include "query/promql/values/series_description.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/promql/values/chunk_hints.h"

namespace varve::promql {
namespace {

using ::testing::HasSubstr;

FloatHistogramPtr Histogram(std::string_view notation) {
  const Result<SeriesDescription> series = ParseSeriesDescription("{} " + std::string(notation));
  EXPECT_TRUE(series.ok()) << notation;
  return series.ok() && series->values.size() == 1 ? series->values[0].histogram : nullptr;
}

TEST(HistogramNotation, GivesTheHistogramBack) {
  for (const char* notation :
       {"{{}}", "{{count:5 sum:3.2}}", "{{schema:1 count:6 sum:-1.5 z_bucket:1 z_bucket_w:0.001 offset:-3 buckets:[1 0 2]}}",
        "{{count:4 counter_reset_hint:gauge buckets:[1 2] n_offset:2 n_buckets:[1]}}",
        "{{schema:-53 count:3 sum:7 custom_values:[1 5.5] buckets:[1 1 1]}}",
        "{{count:1e+08 counter_reset_hint:not_reset buckets:[1e+08]}}"}) {
    const FloatHistogramPtr histogram = Histogram(notation);
    ASSERT_NE(histogram, nullptr) << notation;
    EXPECT_EQ(HistogramNotation(*histogram), notation);
  }
}

TEST(SeriesDescription, HasABoundedNumberOfValues) {
  EXPECT_THAT(ParseSeriesDescription("a 1x900000 1x900000 1x900000").status().message(),
              HasSubstr("a series of too many values"));
}

TEST(HintInChunk, IsNotResetWhereACounterGrows) {
  const FloatHistogramPtr small = Histogram("{{count:2 sum:3 buckets:[2]}}");
  const FloatHistogramPtr large = Histogram("{{count:4 sum:5 buckets:[4]}}");
  const FloatHistogramPtr gauge = Histogram("{{count:4 counter_reset_hint:gauge buckets:[4]}}");
  EXPECT_EQ(HintInChunk(nullptr, *small), CounterResetHint::kUnknown);
  EXPECT_EQ(HintInChunk(small.get(), *large), CounterResetHint::kNotReset);
  EXPECT_EQ(HintInChunk(large.get(), *small), CounterResetHint::kUnknown);
  EXPECT_EQ(HintInChunk(small.get(), *gauge), CounterResetHint::kGauge);
  EXPECT_EQ(HintInChunk(gauge.get(), *large), CounterResetHint::kUnknown);
}

}  // namespace
}  // namespace varve::promql
