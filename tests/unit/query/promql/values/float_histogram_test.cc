#include "query/promql/values/float_histogram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "query/promql/values/histogram_fold.h"

namespace varve::promql {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Spec {
  int32_t schema = 0;
  double count = 0;
  double sum = 0;
  std::vector<double> positive = {};
  int32_t offset = 0;
  std::vector<double> negative = {};
  int32_t negative_offset = 0;
  double zero = 0;
  double threshold = 0;
  std::vector<double> bounds = {};
  CounterResetHint hint = CounterResetHint::kUnknown;
};

NativeHistogram Native(const Spec& spec) {
  NativeHistogram native;
  native.is_float = true;
  native.schema = spec.schema;
  native.hint = spec.hint;
  native.float_count = spec.count;
  native.sum = spec.sum;
  native.float_zero_count = spec.zero;
  native.zero_threshold = spec.threshold;
  native.positive_counts = spec.positive;
  native.negative_counts = spec.negative;
  if (!spec.positive.empty()) native.positive_spans = {{spec.offset, static_cast<uint32_t>(spec.positive.size())}};
  if (!spec.negative.empty()) {
    native.negative_spans = {{spec.negative_offset, static_cast<uint32_t>(spec.negative.size())}};
  }
  native.custom_values = spec.bounds;
  return native;
}

FloatHistogram Make(const Spec& spec) { return FloatHistogram::FromNative(Native(spec)); }

TEST(FloatHistogramTest, BucketBoundsArePowersOfTheSchemasBase) {
  EXPECT_EQ(ExponentialBound(0, 0), 1);
  EXPECT_EQ(ExponentialBound(3, 0), 8);
  EXPECT_EQ(ExponentialBound(-2, 0), 0.25);
  EXPECT_EQ(ExponentialBound(1, 1), 1.414213562373095);
  EXPECT_EQ(ExponentialBound(2, 1), 2);
  EXPECT_EQ(ExponentialBound(-1, 3), 0.9170040432046711);
  EXPECT_EQ(ExponentialBound(255, 8), 2 * 0.9972960560854698);
  EXPECT_EQ(ExponentialBound(1, -1), 4);
  EXPECT_EQ(ExponentialBound(2, -4), 4294967296.0);
}

TEST(FloatHistogramTest, TheLastBucketOfFiniteNumbersEndsAtTheLargestOfThem) {
  for (int schema = -4; schema <= 8; ++schema) {
    const int64_t last = schema < 0 ? 1024 >> -schema : int64_t{1024} << schema;
    EXPECT_EQ(ExponentialBound(last, schema), std::numeric_limits<double>::max()) << schema;
    EXPECT_EQ(ExponentialBound(last + 1, schema), kInfinity) << schema;
  }
}

TEST(FloatHistogramTest, TextListsPopulatedBucketsInAscendingOrder) {
  const FloatHistogram h = Make({.count = 20, .sum = -1.5, .positive = {1, 0, 3}, .negative = {4, 5}, .zero = 7,
                                 .threshold = 0.001});
  EXPECT_EQ(h.ToString(), "{count:20, sum:-1.5, [-2,-1):5, [-1,-0.5):4, [-0.001,0.001]:7, (0.5,1]:1, (2,4]:3}");
  EXPECT_EQ(Make({.schema = kCustomBucketsSchema, .count = 1e6, .sum = 2, .positive = {1, 2, 3}, .bounds = {-5, 10}})
                .ToString(),
            "{count:1e+06, sum:2, [-Inf,-5]:1, (-5,10]:2, (10,+Inf]:3}");
}

TEST(FloatHistogramTest, IntegerHistogramsAreReadFromDeltas) {
  NativeHistogram native;
  native.count = 9;
  native.positive_spans = {{-1, 2}, {1, 1}};
  native.positive_deltas = {3, -1, 2};
  const FloatHistogram h = FloatHistogram::FromNative(native);
  EXPECT_EQ(h.positive().indexes, (std::vector<int32_t>{-1, 0, 2}));
  EXPECT_EQ(h.positive().counts, (std::vector<double>{3, 2, 4}));
}

TEST(FloatHistogramTest, ConvertingToNativeAndBackKeepsEverything) {
  const Spec spec = {.schema = 2, .count = 9, .sum = 1, .positive = {1, 2}, .offset = -7, .negative = {3},
                     .negative_offset = 4, .zero = 3, .threshold = 0.1, .hint = CounterResetHint::kGauge};
  EXPECT_TRUE(BitEqual(Make(spec).ToNative(), Native(spec)));
}

TEST(FloatHistogramTest, HostileLayoutsAreTakenWithoutHarm) {
  NativeHistogram native = Native({.positive = {1, 2, 3}});
  native.positive_spans = {{std::numeric_limits<int32_t>::max(), 2}, {std::numeric_limits<int32_t>::max(), 100}};
  native.zero_threshold = std::numeric_limits<double>::quiet_NaN();
  FloatHistogram h = FloatHistogram::FromNative(native);
  EXPECT_EQ(h.Add(Make({.positive = {1}, .threshold = 3})).incompatible, false);
  EXPECT_EQ(h.zero_threshold(), 3);
}

TEST(FloatHistogramTest, BucketsBesideTheZeroBucketDoNotReachIntoIt) {
  const FloatHistogram h = Make({.count = 4, .positive = {1}, .negative = {2}, .zero = 1, .threshold = 0.6});
  ASSERT_EQ(h.slots(), 3u);
  EXPECT_EQ(h.BucketAt(0).ToString(), "[-1,-0.6):2");
  EXPECT_EQ(h.BucketAt(1).ToString(), "[-0.6,0.6]:1");
  EXPECT_EQ(h.BucketAt(2).ToString(), "(0.6,1]:1");
  EXPECT_EQ(h.BucketAt(0).boundary_rule(), 1);
  EXPECT_EQ(h.BucketAt(1).boundary_rule(), 3);
  EXPECT_EQ(h.BucketAt(2).boundary_rule(), 0);
}

TEST(FloatHistogramTest, AdditionTakesTheCoarserSchema) {
  FloatHistogram fine = Make({.schema = 1, .count = 10, .sum = 1, .positive = {1, 2, 3, 4}});  // indexes 0..3
  EXPECT_EQ(fine.Add(Make({.count = 6, .sum = 2, .positive = {1, 5}})).bounds_reconciled, false);
  EXPECT_EQ(fine.ToString(), "{count:16, sum:3, (0.5,1]:2, (1,2]:10, (2,4]:4}");
  FloatHistogram coarse = Make({.count = 6, .sum = 2, .positive = {1, 5}});
  coarse.Add(Make({.schema = 1, .count = 10, .sum = 1, .positive = {1, 2, 3, 4}}));
  EXPECT_EQ(coarse.ToString(), fine.ToString());
}

TEST(FloatHistogramTest, AWiderZeroBucketTakesTheBucketsInsideIt) {
  FloatHistogram narrow = Make({.count = 7, .positive = {2, 3}, .offset = -2, .zero = 2});  // (.125,.25] (.25,.5]
  narrow.Add(Make({.count = 1, .zero = 1, .threshold = 0.25}));
  EXPECT_EQ(narrow.ToString(), "{count:8, sum:0, [-0.25,0.25]:5, (0.25,0.5]:3}");
  // 0.3 would cut the second bucket: the zero bucket takes it as a whole.
  FloatHistogram cut = Make({.count = 7, .positive = {2, 3}, .offset = -2, .zero = 2});
  cut.Add(Make({.count = 1, .zero = 1, .threshold = 0.3}));
  EXPECT_EQ(cut.ToString(), "{count:8, sum:0, [-0.5,0.5]:8}");
}

TEST(FloatHistogramTest, DifferentCustomBoundsAreReducedToThoseShared) {
  FloatHistogram a = Make({.schema = kCustomBucketsSchema, .count = 10, .positive = {1, 2, 3, 4}, .bounds = {1, 2, 4}});
  const FloatHistogram b =
      Make({.schema = kCustomBucketsSchema, .count = 6, .positive = {1, 2, 3}, .bounds = {2, 3}});
  EXPECT_TRUE(a.Add(b).bounds_reconciled);
  EXPECT_EQ(a.ToString(), "{count:16, sum:0, [-Inf,2]:4, (2,+Inf]:12}");
}

TEST(FloatHistogramTest, ExponentialAndCustomBucketsDoNotGoTogether) {
  FloatHistogram a = Make({.count = 1, .positive = {1}});
  const std::string before = a.ToString();
  EXPECT_TRUE(a.Add(Make({.schema = kCustomBucketsSchema, .count = 1, .positive = {1}, .bounds = {1}})).incompatible);
  EXPECT_EQ(a.ToString(), before);
}

TEST(FloatHistogramTest, HintsOfSumsFollowTheirRules) {
  using enum CounterResetHint;
  struct Case {
    CounterResetHint a, b, result;
    bool conflict;
  };
  for (const Case& c : {Case{kGauge, kReset, kGauge, false}, Case{kNotReset, kGauge, kGauge, false},
                        Case{kUnknown, kNotReset, kUnknown, false}, Case{kReset, kUnknown, kUnknown, false},
                        Case{kNotReset, kNotReset, kNotReset, false}, Case{kReset, kNotReset, kUnknown, true}}) {
    FloatHistogram a = Make({.hint = c.a});
    EXPECT_EQ(a.Add(Make({.hint = c.b})).reset_conflict, c.conflict);
    EXPECT_EQ(a.hint(), c.result);
  }
}

TEST(FloatHistogramTest, ScalingByANegativeNumberMakesAGauge) {
  FloatHistogram h = Make({.count = 4, .sum = 2, .positive = {4}});
  EXPECT_EQ(h.Mul(-0.5).ToString(), "{count:-2, sum:-1, (0.5,1]:-2}");
  EXPECT_TRUE(h.is_gauge());
  EXPECT_EQ(h.Div(0).ToString(), "{count:-Inf, sum:-Inf, [-0,0]:NaN}");
}

TEST(FloatHistogramTest, ResetsAreFoundInEveryPart) {
  const Spec base = {.count = 10, .positive = {2, 3}, .negative = {1}, .zero = 4, .threshold = 0.01};
  const FloatHistogram before = Make(base);
  const auto resets = [&](auto change) {
    Spec now = base;
    now.count += 5;
    change(&now);
    return Make(now).DetectReset(before);
  };
  EXPECT_FALSE(resets([](Spec*) {}));
  EXPECT_TRUE(resets([](Spec* s) { s->count = 9; }));
  EXPECT_TRUE(resets([](Spec* s) { s->positive = {2, 2}; }));
  EXPECT_TRUE(resets([](Spec* s) { s->positive = {2}; }));
  EXPECT_TRUE(resets([](Spec* s) { s->negative = {}; }));
  EXPECT_TRUE(resets([](Spec* s) { s->zero = 3; }));
  EXPECT_TRUE(resets([](Spec* s) { s->schema = 1; }));
  EXPECT_TRUE(resets([](Spec* s) { s->threshold = 0; }));
  EXPECT_TRUE(resets([](Spec* s) { s->threshold = 0.7; }));   // would cut a populated bucket
  EXPECT_FALSE(resets([](Spec* s) { s->hint = CounterResetHint::kNotReset; s->count = 0; }));
  EXPECT_TRUE(resets([](Spec* s) { s->hint = CounterResetHint::kReset; }));
  EXPECT_FALSE(resets([](Spec* s) {
    s->schema = -1;
    s->positive = {2, 3};  // (.25,1] had 2, (1,4] had 3
  }));
}

TEST(FloatHistogramTest, ResetsOfCustomBucketsAreSoughtInSharedBounds) {
  const FloatHistogram before =
      Make({.schema = kCustomBucketsSchema, .count = 6, .positive = {1, 2, 3}, .bounds = {1, 2}});
  EXPECT_FALSE(Make({.schema = kCustomBucketsSchema, .count = 6, .positive = {3, 3}, .bounds = {2}})
                   .DetectReset(before));
  EXPECT_TRUE(Make({.schema = kCustomBucketsSchema, .count = 6, .positive = {2, 4}, .bounds = {2}})
                  .DetectReset(before));
  EXPECT_TRUE(Make({.count = 9, .positive = {9}}).DetectReset(before));
}

TEST(FloatHistogramTest, TrimsCutBucketsByInterpolation) {
  FloatHistogram h = Make({.count = 12, .sum = 30, .positive = {2, 4, 6}, .offset = 1});  // (1,2] (2,4] (4,8]
  FloatHistogram same = h;
  same.TrimUpper(8);
  EXPECT_TRUE(same.Equals(h));
  FloatHistogram upper = h;
  upper.TrimUpper(std::sqrt(8.0));  // halfway through (2,4] on a logarithmic scale
  EXPECT_NEAR(upper.count(), 4, 1e-9);
  EXPECT_NEAR(upper.positive().counts.back(), 2, 1e-9);
  FloatHistogram lower = h;
  lower.TrimLower(4);
  EXPECT_EQ(lower.count(), 6);
  EXPECT_NEAR(lower.sum(), 6 * std::sqrt(32.0), 1e-9);
}

TEST(FloatHistogramTest, EqualityIsOfBitsAndIgnoresHints) {
  const Spec spec = {.count = 3, .sum = std::numeric_limits<double>::quiet_NaN(), .positive = {1, 2}};
  Spec other = spec;
  other.hint = CounterResetHint::kGauge;
  EXPECT_TRUE(Make(spec).Equals(Make(other)));
  other.sum = 0;
  EXPECT_FALSE(Make(spec).Equals(Make(other)));
}

TEST(HistogramFoldTest, SumsAreCompensated) {
  HistogramFold fold(HistogramFold::Kind::kSum);
  for (const double x : {1.0, 1e100, 1.0, -1e100}) {
    EXPECT_TRUE(fold.Add(Make({.count = x, .sum = x, .positive = {x}})));
  }
  const FloatHistogramPtr sum = fold.Finish();
  EXPECT_EQ(sum->ToString(), "{count:2, sum:2, (0.5,1]:2}");
}

TEST(HistogramFoldTest, MeansDoNotOverflow) {
  HistogramFold fold(HistogramFold::Kind::kMean);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(fold.Add(Make({.count = 4, .sum = 1.5e308, .positive = {1e308}})));
  const FloatHistogramPtr mean = fold.Finish();
  EXPECT_DOUBLE_EQ(mean->sum(), 1.5e308);
  EXPECT_DOUBLE_EQ(mean->positive().counts[0], 1e308);
  EXPECT_DOUBLE_EQ(mean->count(), 4);
}

TEST(HistogramFoldTest, MixedSchemasEndIt) {
  HistogramFold fold(HistogramFold::Kind::kMean);
  EXPECT_TRUE(fold.Add(Make({.count = 1})));
  EXPECT_FALSE(fold.Add(Make({.schema = kCustomBucketsSchema, .count = 1, .bounds = {1}})));
  EXPECT_FALSE(fold.Add(Make({.count = 1})));
  EXPECT_EQ(fold.Finish(), nullptr);
}

// Whatever the layouts, nothing is lost when they are reconciled; without zero buckets the order does not matter.
TEST(HistogramFoldTest, EveryObservationIsInTheSumOnce) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  for (int round = 0; round < 200; ++round) {
    const bool with_zero = round % 2 == 0;
    std::vector<FloatHistogram> all;
    double total = 0;
    for (int i = 0; i < 5; ++i) {
      Spec spec;
      spec.schema = static_cast<int32_t>(below(6)) - 2;
      spec.offset = static_cast<int32_t>(below(10)) - 5;
      spec.negative_offset = static_cast<int32_t>(below(10)) - 5;
      spec.positive.resize(below(8));
      spec.negative.resize(below(8));
      for (double& c : spec.positive) spec.count += c = below(3);
      for (double& c : spec.negative) spec.count += c = below(3);
      if (with_zero) {
        // It ends where the nearest bucket begins.
        spec.threshold = ExponentialBound(std::min(spec.offset, spec.negative_offset) - 1, spec.schema);
        spec.count += spec.zero = below(3);
      }
      total += spec.count;
      all.push_back(Make(spec));
    }
    FloatHistogram forward = all[0];
    for (size_t i = 1; i < all.size(); ++i) forward.Add(all[i]);
    HistogramFold fold(HistogramFold::Kind::kSum);
    for (size_t i = all.size(); i-- > 0;) fold.Add(all[i]);
    const FloatHistogramPtr backward = fold.Finish();
    const FloatHistogram* const both[] = {&forward, backward.get()};
    for (const FloatHistogram* h : both) {
      double in_buckets = h->zero_count();
      for (const double c : h->positive().counts) in_buckets += c;
      for (const double c : h->negative().counts) in_buckets += c;
      EXPECT_EQ(h->count(), total);
      EXPECT_EQ(in_buckets, total);
    }
    if (with_zero) continue;
    EXPECT_EQ(forward.Compact().ToString(), backward->ToString());
    for (const FloatHistogram& h : all) forward.Sub(h);
    EXPECT_EQ(forward.Compact().slots(), 0u);
  }
}

}  // namespace
}  // namespace varve::promql
