#include "engine/model/native_histogram.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

namespace varve {
namespace {

NativeHistogram IntegerHistogram() {
  NativeHistogram h;
  h.schema = 1;
  h.zero_threshold = 0.001;
  h.zero_count = 2;
  h.sum = 18.4;
  h.positive_spans = {{0, 2}, {1, 2}};
  h.positive_deltas = {1, 1, -1, 0};  // 1 2 1 1
  h.negative_spans = {{0, 2}, {1, 2}};
  h.negative_deltas = {1, 1, -1, 0};
  h.count = 12;
  return h;
}

NativeHistogram FloatHistogramWithBuckets() {
  NativeHistogram h;
  h.is_float = true;
  h.schema = 0;
  h.float_count = 3;
  h.positive_spans = {{-1, 1}, {2, 1}};
  h.positive_counts = {1, 2};
  return h;
}

NativeHistogram CustomHistogram() {
  NativeHistogram h;
  h.schema = kCustomBucketsSchema;
  h.custom_values = {1, 2.5, 10};
  h.positive_spans = {{0, 2}, {1, 1}};
  h.positive_deltas = {2, 1, -2};  // 2 3 1
  h.count = 6;
  h.sum = 30;
  return h;
}

TEST(NativeHistogramTest, WhatCanBeStoredIsValid) {
  for (const NativeHistogram& h : {IntegerHistogram(), FloatHistogramWithBuckets(), CustomHistogram()}) {
    EXPECT_EQ(ValidateHistogram(h).message(), "");
  }
  NativeHistogram stale;
  stale.sum = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(ValidateHistogram(stale).message(), "");
}

TEST(NativeHistogramTest, WhatIsWrongIsSaidInPrometheusWords) {
  struct Case {
    std::string message;
    NativeHistogram histogram;
    std::function<void(NativeHistogram*)> breaks;
  };
  const std::vector<Case> cases = {
      {"12 observations found in buckets, but the Count field is 13: histogram's observation count should equal the "
       "number of observations found in the buckets (in absence of NaN)",
       IntegerHistogram(), [](NativeHistogram* h) { h->count = 13; }},
      {"12 observations found in buckets, but the Count field is 11: histogram's observation count should be at least "
       "the number of observations found in the buckets",
       IntegerHistogram(),
       [](NativeHistogram* h) {
         h->count = 11;
         h->sum = std::numeric_limits<double>::quiet_NaN();
       }},
      {"positive side: span number 2 with offset -1: histogram has a span whose offset is negative",
       IntegerHistogram(), [](NativeHistogram* h) { h->positive_spans[1].offset = -1; }},
      {"negative side: spans need 5 buckets, have 4 buckets: histogram spans specify different number of buckets than "
       "provided",
       IntegerHistogram(), [](NativeHistogram* h) { h->negative_spans[1].length = 3; }},
      {"negative side: bucket number 3 has observation count of -3: histogram has a bucket whose observation count is "
       "negative",
       IntegerHistogram(), [](NativeHistogram* h) { h->negative_deltas[2] = -5; }},
      {"positive side: bucket number 1 has observation count of -1: histogram has a bucket whose observation count is "
       "negative",
       FloatHistogramWithBuckets(), [](NativeHistogram* h) { h->positive_counts[0] = -1; }},
      {"zero bucket has observation count of -0.5: histogram has a bucket whose observation count is negative",
       FloatHistogramWithBuckets(), [](NativeHistogram* h) { h->float_zero_count = -0.5; }},
      {"observation count is  -3: histogram's observation count is negative", FloatHistogramWithBuckets(),
       [](NativeHistogram* h) { h->float_count = -3; }},
      {"histogram with exponential schema must not have custom bounds", IntegerHistogram(),
       [](NativeHistogram* h) { h->custom_values = {1}; }},
      {"histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, or -53 for custom "
       "buckets, got schema -5",
       IntegerHistogram(), [](NativeHistogram* h) { h->schema = -5; }},
      {"histogram has an unknown schema, which must be between -9 and 52 for exponential buckets, or -53 for custom "
       "buckets, got schema 53",
       IntegerHistogram(), [](NativeHistogram* h) { h->schema = 53; }},
      {"custom buckets: previous bound is 2.500000 and current is 2.500000: histogram custom bounds must be in strictly "
       "increasing order",
       CustomHistogram(), [](NativeHistogram* h) { h->custom_values[2] = 2.5; }},
      {"custom buckets: last +Inf bound must not be explicitly defined: histogram custom bounds must be finite",
       CustomHistogram(), [](NativeHistogram* h) { h->custom_values[2] = std::numeric_limits<double>::infinity(); }},
      {"custom buckets: histogram custom bounds must not be NaN", CustomHistogram(),
       [](NativeHistogram* h) { h->custom_values[0] = std::numeric_limits<double>::quiet_NaN(); }},
      {"custom buckets: only 2 custom bounds defined which is insufficient to cover total span length of 4: histogram "
       "custom bounds are too few",
       CustomHistogram(), [](NativeHistogram* h) { h->custom_values.pop_back(); }},
      {"custom buckets: span number 1 with offset -1: histogram has a span whose offset is negative",
       CustomHistogram(), [](NativeHistogram* h) { h->positive_spans[0].offset = -1; }},
      {"custom buckets: must have zero count of 0", CustomHistogram(), [](NativeHistogram* h) { h->zero_count = 1; }},
      {"custom buckets: must have zero threshold of 0", CustomHistogram(),
       [](NativeHistogram* h) { h->zero_threshold = 1; }},
      {"custom buckets: must not have negative spans", CustomHistogram(),
       [](NativeHistogram* h) { h->negative_spans = {{0, 0}}; }},
      {"custom buckets: must not have negative buckets", CustomHistogram(),
       [](NativeHistogram* h) { h->negative_deltas = {1}; }},
      {"positive side: spans end at bucket 4294967294, which is beyond any bucket there can be",
       FloatHistogramWithBuckets(),
       [](NativeHistogram* h) {
         h->positive_spans = {{std::numeric_limits<int32_t>::max() - 2, 1}, {std::numeric_limits<int32_t>::max(), 0},
                              {0, 1}};
       }},
  };
  for (const Case& c : cases) {
    NativeHistogram h = c.histogram;
    c.breaks(&h);
    const Status status = ValidateHistogram(h);
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    EXPECT_EQ(status.message(), c.message);
  }
}

TEST(NativeHistogramTest, FinerSchemasAreReducedToEight) {
  NativeHistogram integers;
  integers.schema = 9;
  integers.positive_spans = {{0, 4}, {3, 2}};  // buckets 0 1 2 3, 7 8
  integers.positive_deltas = {1, 1, 1, 1, 1, 1};  // 1 2 3 4, 5 6
  integers.count = 21;
  ReduceSchema(&integers);
  EXPECT_EQ(integers.schema, 8);
  EXPECT_EQ(integers.positive_spans, (std::vector<BucketSpan>{{0, 3}, {1, 1}}));  // 0, 1+2, 3(+4); 7+8
  EXPECT_EQ(integers.positive_deltas, (std::vector<int64_t>{1, 4, -1, 7}));       // 1 5 4 11
  EXPECT_EQ(ValidateHistogram(integers).message(), "");

  NativeHistogram floats;
  floats.is_float = true;
  floats.schema = 52;
  floats.negative_spans = {{-10, 2}, {1 << 20, 1}};
  floats.negative_counts = {1, 2, 4};
  ReduceSchema(&floats);
  EXPECT_EQ(floats.schema, 8);
  EXPECT_EQ(floats.negative_spans, (std::vector<BucketSpan>{{0, 2}}));
  EXPECT_EQ(floats.negative_counts, (std::vector<double>{3, 4}));
}

TEST(NativeHistogramTest, OtherSchemasAndBrokenLayoutsStayAsTheyAre) {
  NativeHistogram h = IntegerHistogram();
  ReduceSchema(&h);
  EXPECT_TRUE(BitEqual(h, IntegerHistogram()));
  h.schema = 20;
  h.positive_spans[0].length = 100;
  ReduceSchema(&h);
  EXPECT_EQ(h.schema, 20);
  EXPECT_EQ(ValidateHistogram(h).code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace varve
