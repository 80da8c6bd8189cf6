#include "engine/head/metric_head.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace varve {
namespace {

class MetricHeadTest : public ::testing::Test {
 protected:
  uint32_t Slot(SeriesOrdinal series) { return head_.Open(series, /*target=*/7, MetricHead::kNever); }
  SeriesSamples ReadAll(uint32_t slot, MetricRange range = {}) const {
    SeriesSamples out;
    head_.Read(slot, range, UINT32_MAX, &out);
    return out;
  }

  MemoryBudget budget_{"heads", 1 << 30};
  MetricHead head_{&budget_};
};

TEST_F(MetricHeadTest, SiblingsShareTheirTimestamps) {
  for (int64_t ts_ms = 1000; ts_ms < 1000 + 240 * 15000; ts_ms += 15000) {
    for (SeriesOrdinal series = 0; series < 500; ++series) head_.AddFloat(Slot(series), ts_ms, series, kNoStartMs);
  }
  head_.SettleBudget();
  EXPECT_EQ(head_.sample_count(), 500u * 240);
  // 500 series whose values are constant: the fixed part, and one timeline.
  EXPECT_LE(budget_.used_bytes() / 500, 120);
  for (const SeriesOrdinal series : {0, 1, 499}) {
    const SeriesSamples samples = ReadAll(head_.Find(series));
    ASSERT_EQ(samples.floats.size(), 240u);
    EXPECT_EQ(samples.floats[17], series);
    EXPECT_EQ(samples.float_ts_ms[17], 1000 + 17 * 15000);
  }
}

TEST_F(MetricHeadTest, ASeriesThatMissesAScrapeGoesOnInStep) {
  for (int64_t i = 0; i < 100; ++i) {
    for (SeriesOrdinal series = 0; series < 3; ++series) {
      if (series == 1 && i % 10 == 5) continue;
      head_.AddFloat(Slot(series), i * 1000, static_cast<double>(i), kNoStartMs);
    }
  }
  const SeriesSamples samples = ReadAll(head_.Find(1));
  ASSERT_EQ(samples.float_ts_ms.size(), 90u);
  EXPECT_EQ(samples.float_ts_ms[5], 6000);
  EXPECT_EQ(head_.Lookup(head_.Find(1), 5000), std::nullopt);
  EXPECT_EQ(head_.Lookup(head_.Find(1), 6000)->value, 6);
}

TEST_F(MetricHeadTest, ReadsWhatLiesInTheRangeAndNotBeyondWhatAReaderHasSeen) {
  const uint32_t slot = Slot(0);
  for (int64_t ts_ms = 0; ts_ms < 100; ts_ms += 10) head_.AddFloat(slot, ts_ms, 1, kNoStartMs);
  EXPECT_EQ(ReadAll(slot, {.min_ms = 15, .max_ms = 40}).float_ts_ms, (std::vector<int64_t>{20, 30, 40}));
  EXPECT_TRUE(ReadAll(slot, {.min_ms = 91, .max_ms = 400}).empty());
  SeriesSamples out;
  head_.Read(slot, {.min_ms = 50, .max_ms = 1000}, /*ordered_max=*/7, &out);
  EXPECT_EQ(out.float_ts_ms, (std::vector<int64_t>{50, 60}));
}

TEST_F(MetricHeadTest, TimestampsMoreThan49DaysApartAreKept) {
  const uint32_t slot = Slot(0);
  constexpr int64_t kYearMs = 365LL * 24 * 3600 * 1000;
  std::vector<int64_t> expected;
  for (int64_t i = -3; i < 3; ++i) {
    head_.AddFloat(slot, i * kYearMs, static_cast<double>(i), kNoStartMs);
    expected.push_back(i * kYearMs);
  }
  EXPECT_EQ(ReadAll(slot).float_ts_ms, expected);
}

// As from a sender with several connections.
TEST_F(MetricHeadTest, SamplesOfNeighbouringScrapesInTheWrongOrderCostNoMoreThanInTheRightOne) {
  const auto bytes_of = [](bool swapped) {
    MemoryBudget budget("heads", 1 << 30);
    MetricHead head(&budget);
    for (int64_t i = 0; i < 400; ++i) {
      const int64_t ts_ms = 15'000 * (swapped ? i ^ 1 : i);
      for (SeriesOrdinal series = 0; series < 50; ++series) {
        const uint32_t slot = head.Open(series, /*target=*/1, MetricHead::kNever);
        head.AddFloat(slot, ts_ms, static_cast<double>(ts_ms / 15'000 * series), kNoStartMs);
      }
    }
    SeriesSamples out;
    head.Read(7, {}, head.OrderedCount(7), &out);
    EXPECT_EQ(out.floats.size(), 400u);
    EXPECT_TRUE(std::is_sorted(out.float_ts_ms.begin(), out.float_ts_ms.end()));
    EXPECT_EQ(out.floats.back(), 399.0 * 7);
    return head.memory_bytes();
  };
  // A fixed price a series, for those kept back.
  EXPECT_LE(bytes_of(true), bytes_of(false) + 50 * 500);
}

TEST_F(MetricHeadTest, HoldsAnythingInAnyOrder) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  struct Expected {
    double value;
    HistogramPtr histogram;
    int64_t start_ms;
  };
  std::map<SeriesOrdinal, std::map<int64_t, Expected>> expected;
  for (int i = 0; i < 6000; ++i) {
    const auto series = static_cast<SeriesOrdinal>(random() % 600);
    const uint32_t slot = Slot(series);
    const int64_t ts_ms = random() % 3 == 0 ? static_cast<int64_t>(random() % 100) : i / 100 * 10;
    const bool known = expected[series].contains(ts_ms);
    EXPECT_EQ(head_.Lookup(slot, ts_ms).has_value(), known);
    if (known) continue;
    Expected sample{.value = static_cast<double>(random() % 50) / 4, .histogram = nullptr, .start_ms = kNoStartMs};
    if (random() % 4 == 0) sample.start_ms = static_cast<int64_t>(random() % 3);
    if (random() % 10 == 0) {
      auto histogram = std::make_shared<NativeHistogram>();
      histogram->count = random();
      sample.histogram = histogram;
      head_.AddHistogram(slot, ts_ms, sample.histogram, sample.start_ms);
    } else {
      head_.AddFloat(slot, ts_ms, sample.value, sample.start_ms);
    }
    expected[series][ts_ms] = sample;
  }
  head_.SettleBudget();
  EXPECT_EQ(head_.series_count(), expected.size());
  for (const auto& [series, samples] : expected) {
    const uint32_t slot = head_.Find(series);
    EXPECT_EQ(head_.SpanOf(slot).min_ms, samples.begin()->first);
    EXPECT_EQ(head_.SpanOf(slot).max_ms, samples.rbegin()->first);
    const MetricRange range{.min_ms = static_cast<int64_t>(random() % 200), .max_ms = 400};
    const SeriesSamples out = ReadAll(slot, range);
    size_t f = 0;
    size_t h = 0;
    for (const auto& [ts_ms, sample] : samples) {
      if (!range.Contains(ts_ms)) continue;
      if (sample.histogram != nullptr) {
        ASSERT_LT(h, out.histograms.size());
        EXPECT_EQ(out.histograms[h].ts_ms, ts_ms);
        EXPECT_EQ(out.histograms[h].histogram, sample.histogram);
        EXPECT_EQ(out.histogram_starts_ms.empty() ? kNoStartMs : out.histogram_starts_ms[h], sample.start_ms);
        ++h;
      } else {
        ASSERT_LT(f, out.floats.size());
        EXPECT_EQ(out.float_ts_ms[f], ts_ms);
        EXPECT_EQ(out.floats[f], sample.value);
        EXPECT_EQ(out.float_starts_ms.empty() ? kNoStartMs : out.float_starts_ms[f], sample.start_ms);
        ++f;
      }
    }
    EXPECT_EQ(f, out.floats.size());
    EXPECT_EQ(h, out.histograms.size());
  }
}

}  // namespace
}  // namespace varve
