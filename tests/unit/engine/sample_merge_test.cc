#include "engine/sample_merge.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace varve {
namespace {

struct Expected {
  double value = 0;
  HistogramPtr histogram;
  int64_t start_ms = kNoStartMs;
};
using ByTime = std::map<int64_t, Expected>;

SeriesSamples Columns(const ByTime& samples) {
  SeriesSamples out;
  bool float_starts = false;
  bool histogram_starts = false;
  for (const auto& [ts_ms, sample] : samples) {
    (sample.histogram == nullptr ? float_starts : histogram_starts) |= sample.start_ms != kNoStartMs;
  }
  for (const auto& [ts_ms, sample] : samples) {
    if (sample.histogram == nullptr) {
      out.float_ts_ms.push_back(ts_ms);
      out.floats.push_back(sample.value);
      if (float_starts) out.float_starts_ms.push_back(sample.start_ms);
    } else {
      out.histograms.push_back({.ts_ms = ts_ms, .histogram = sample.histogram});
      if (histogram_starts) out.histogram_starts_ms.push_back(sample.start_ms);
    }
  }
  return out;
}

void ExpectEqual(const SeriesSamples& got, const ByTime& samples) {
  const SeriesSamples want = Columns(samples);
  EXPECT_EQ(got.float_ts_ms, want.float_ts_ms);
  EXPECT_EQ(got.floats, want.floats);
  ASSERT_EQ(got.histograms.size(), want.histograms.size());
  for (size_t i = 0; i < want.histograms.size(); ++i) {
    EXPECT_EQ(got.histograms[i].ts_ms, want.histograms[i].ts_ms);
    EXPECT_EQ(got.histograms[i].histogram, want.histograms[i].histogram);
  }
  for (size_t i = 0; i < want.floats.size(); ++i) {
    EXPECT_EQ(got.float_starts_ms.empty() ? kNoStartMs : got.float_starts_ms[i],
              want.float_starts_ms.empty() ? kNoStartMs : want.float_starts_ms[i]);
  }
  for (size_t i = 0; i < want.histograms.size(); ++i) {
    EXPECT_EQ(got.histogram_starts_ms.empty() ? kNoStartMs : got.histogram_starts_ms[i],
              want.histogram_starts_ms.empty() ? kNoStartMs : want.histogram_starts_ms[i]);
  }
}

// Every mixture of kinds, overlaps and start timestamps, against a map.
TEST(MergeSamplesTest, KeepsTheOlderSampleOfATimeAndAllOthers) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 2000 && !testing::Test::HasFailure(); ++round) {
    const bool with_histograms = random() % 2 == 0;
    const bool with_starts = random() % 2 == 0;
    const auto some = [&](int64_t from_ms) {
      ByTime out;
      for (size_t n = random() % 12; n > 0; --n) {
        Expected sample{.value = static_cast<double>(random() % 9), .histogram = nullptr, .start_ms = kNoStartMs};
        if (with_histograms && random() % 3 == 0) sample.histogram = std::make_shared<NativeHistogram>();
        if (with_starts && random() % 3 == 0) sample.start_ms = 1 + random() % 3;
        out[from_ms + random() % 16] = sample;
      }
      return out;
    };
    ByTime older = some(0);
    const ByTime newer = some(random() % 3 == 0 ? 16 : random() % 8);
    SeriesSamples merged = Columns(older);
    const uint64_t dropped = MergeSamples(Columns(newer), &merged);
    const size_t before = older.size();
    older.insert(newer.begin(), newer.end());
    EXPECT_EQ(dropped, before + newer.size() - older.size());
    ExpectEqual(merged, older);
  }
}

}  // namespace
}  // namespace varve
