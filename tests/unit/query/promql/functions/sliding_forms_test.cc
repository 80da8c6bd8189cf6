#include "query/promql/functions/sliding_forms.h"

#include <bit>
#include <random>

#include "tests/unit/query/promql/functions/window_fixture.h"

namespace varve::promql {
namespace {

constexpr const char* kSliding[] = {"avg_over_time", "changes",       "increase", "max_over_time",
                                    "min_over_time", "sum_over_time", "rate",     "resets"};

// The part of `series` in (begin_ms, end_ms], in the series' memory.
RangeWindow Cut(const RangeWindow& series, int64_t begin_ms, int64_t end_ms) {
  const auto first = std::upper_bound(series.ts_ms.begin(), series.ts_ms.end(), begin_ms) - series.ts_ms.begin();
  const auto last = std::upper_bound(series.ts_ms.begin(), series.ts_ms.end(), end_ms) - series.ts_ms.begin();
  const auto n = static_cast<size_t>(last - first);
  RangeWindow out = series;
  out.ts_ms = series.ts_ms.subspan(static_cast<size_t>(first), n);
  out.floats = series.floats.subspan(static_cast<size_t>(first), n);
  if (!series.starts_ms.empty()) out.starts_ms = series.starts_ms.subspan(static_cast<size_t>(first), n);
  out.begin_ms = begin_ms;
  out.end_ms = end_ms;
  out.range_ms = end_ms - begin_ms;
  return out;
}

// Runs both forms over all windows of a series and compares their bits. How many windows had a value.
size_t Compare(const char* name, const TestWindow& series, int64_t range_ms, int64_t step_ms) {
  const RangeFunction* function = FindRangeFunction(name);
  std::unique_ptr<SlidingForm> sliding = function->make_sliding();
  if (!sliding->Begin(series.View())) return 0;
  size_t values = 0;
  for (int64_t end = 0; end < series.end_ms + range_ms; end += step_ms) {
    const RangeWindow window = Cut(series.View(), end - range_ms, end);
    Annotations plain_notes;
    Annotations sliding_notes;
    RangeCall call;
    call.metric_name = "m";
    double plain = 0;
    double slid = 0;
    call.notes = &plain_notes;
    const bool has_plain = function->float_fn(call, window, &plain);
    call.notes = &sliding_notes;
    const bool has_slid = sliding->At(call, window, &slid);
    EXPECT_EQ(has_plain, has_slid) << name << " at " << end;
    if (!has_plain || !has_slid) continue;
    ++values;
    const bool same = std::bit_cast<uint64_t>(plain) == std::bit_cast<uint64_t>(slid) ||
                      (std::isnan(plain) && std::isnan(slid)) || (plain == 0 && slid == 0);
    EXPECT_TRUE(same) << name << " at " << end << ": " << plain << ", sliding " << slid;
    EXPECT_EQ(plain_notes.Warnings("", 0), sliding_notes.Warnings("", 0)) << name;
  }
  return values;
}

TestWindow RandomSeries(std::mt19937_64* random, bool whole, bool starts) {
  TestWindow out;
  int64_t ts = 0;
  double value = 0;
  int64_t start = 1;
  for (int i = 0; i < 300; ++i) {
    ts += 1 + static_cast<int64_t>((*random)() % 20'000);
    const auto what = (*random)() % 20;
    if (what == 0) value = 0;
    if (what == 1) start = ts - 1;
    value += whole ? static_cast<double>((*random)() % 100) : static_cast<double>((*random)() % 100) / 7;
    double stored = value;
    if (!whole && what == 2) stored = kNan;
    if (!whole && what == 3) stored = kInf;
    if (what == 4) stored = -0.0;
    out.ts_ms.push_back(ts);
    out.floats.push_back(stored);
    if (starts) out.starts_ms.push_back(what < 3 ? start : start - 7);
  }
  out.end_ms = ts;
  return out;
}

TEST(SlidingForms, GiveTheBitsOfThePlainForm) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 8; ++round) {
    const TestWindow series = RandomSeries(&random, round % 2 == 0, round % 4 >= 2);
    for (const char* name : kSliding) {
      for (const int64_t range_ms : {1'000, 60'000, 900'000}) {
        for (const int64_t step_ms : {5'000, 300'000}) Compare(name, series, range_ms, step_ms);
      }
    }
  }
}

TEST(SlidingForms, GiveNanForWindowsOfNans) {
  const TestWindow series = Every(10'000, {kNan, kNan, 3, kNan, kNan, kNan});
  EXPECT_EQ(Compare("max_over_time", series, 15'000, 10'000), 7u);
  EXPECT_EQ(Compare("min_over_time", series, 25'000, 10'000), 8u);
}

TEST(SlidingSum, TakesOnlyWholeNumbers) {
  EXPECT_FALSE(MakeSlidingSum()->Begin(Every(10'000, {1, 2.5}).View()));
  EXPECT_FALSE(MakeSlidingSum()->Begin(Every(10'000, {1, kNan}).View()));
  EXPECT_FALSE(MakeSlidingSum()->Begin(Every(10'000, {1, 1e300}).View()));
  EXPECT_TRUE(MakeSlidingSum()->Begin(Every(10'000, {1, -2, 0}).View()));
}

TEST(SlidingSum, IsThePlainSumWhereWholeNumbersGetTooLarge) {
  // 2^52 + 1 a sample: sums of more than two are rounded.
  const TestWindow series = Every(10'000, std::vector<double>(9, 4503599627370497.0));
  EXPECT_EQ(Compare("sum_over_time", series, 50'000, 10'000), 13u);
  EXPECT_EQ(Compare("avg_over_time", series, 50'000, 10'000), 13u);
}

}  // namespace
}  // namespace varve::promql
