// Merging metric packs against the simplest merge there is: a map by time into which the oldest pack goes
// first.
#include "engine/metric_merge.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "engine/model/packed_labels.h"
#include "engine/packs/mem_pack_store.h"
#include "engine/packs/metric_pack_reader.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/engine/codec/metric_samples.h"

namespace varve {
namespace {

constexpr int64_t kDay = 20'000 * kMetricBucketMs;

PackId Id(uint64_t number) {
  return {.retention_class = 0, .bucket = 20'000, .shard = kMetricShardFirst, .number = number};
}

std::string Canonical(int series) {
  return PackedLabels::FromUnsorted(
             {{"__name__", series % 3 == 0 ? "a" : "b"}, {"i", std::to_string(100 + series)}})
      .canonical();
}

using SeriesOfPack = std::map<std::pair<std::string, std::string>, SeriesSamples>;  // by tenant and labels

void WritePack(MemPackStore* store, uint64_t number, const SeriesOfPack& pack) {
  auto pending = store->Begin(Id(number));
  ASSERT_OK(pending.status());
  MetricPackWriter writer({.block_bytes = 3000}, pending->get());
  std::vector<SeriesOfPack::const_iterator> order;
  for (auto at = pack.begin(); at != pack.end(); ++at) order.push_back(at);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    if (a->first.first != b->first.first) return a->first.first < b->first.first;
    return MetricSeriesLess(a->first.second, b->first.second);
  });
  for (const auto& at : order) {
    ASSERT_OK(
        writer.AddSeries(std::hash<std::string>()(at->first.second), at->first.first, at->first.second));
    ASSERT_OK(writer.AddSamples(at->second));
  }
  const auto finished = writer.Finish();
  ASSERT_OK(finished.status());
}

SeriesOfPack ReadPack(const MemPackStore& store, uint64_t number) {
  SeriesOfPack pack;
  const auto directory = ReadMetricPackDirectory(store, Id(number), MetricLabels::kRead);
  EXPECT_OK(directory.status());
  MetricPackReader reader(&store, Id(number), &*directory);
  for (uint32_t s = 0; s < directory->series_count(); ++s) {
    auto& samples = pack[{directory->tenants[directory->TenantOf(s)], std::string(directory->LabelsOf(s))}];
    EXPECT_OK(reader.Read(s, {}, &samples));
    EXPECT_EQ(directory->fingerprints[s], std::hash<std::string>()(std::string(directory->LabelsOf(s))));
  }
  return pack;
}

struct Sample1 {
  bool is_float = true;
  uint64_t bits = 0;
  int64_t start_ms = 0;
  HistogramPtr histogram;
};
using ByTime = std::map<int64_t, Sample1>;

void AddTo(const SeriesSamples& samples, const std::vector<MetricRange>& hidden, ByTime* all) {
  const auto add = [&](int64_t ts, Sample1 sample) {
    for (const MetricRange& range : hidden) {
      if (range.Contains(ts)) return;
    }
    all->try_emplace(ts, std::move(sample));
  };
  for (size_t i = 0; i < samples.floats.size(); ++i) {
    add(samples.float_ts_ms[i], {.is_float = true,
                                 .bits = std::bit_cast<uint64_t>(samples.floats[i]),
                                 .start_ms = samples.float_starts_ms.empty() ? 0 : samples.float_starts_ms[i],
                                 .histogram = nullptr});
  }
  for (size_t i = 0; i < samples.histograms.size(); ++i) {
    add(samples.histograms[i].ts_ms,
        {.is_float = false,
         .bits = 0,
         .start_ms = samples.histogram_starts_ms.empty() ? 0 : samples.histogram_starts_ms[i],
         .histogram = samples.histograms[i].histogram});
  }
}

void ExpectSame(const ByTime& expected, const SeriesSamples& samples, const std::string& what) {
  ByTime found;
  AddTo(samples, {}, &found);
  ASSERT_EQ(expected.size(), found.size()) << what;
  ASSERT_EQ(found.size(), samples.size()) << what;
  for (auto a = expected.cbegin(), b = found.cbegin(); a != expected.cend(); ++a, ++b) {
    ASSERT_EQ(a->first, b->first) << what;
    ASSERT_EQ(a->second.is_float, b->second.is_float) << what;
    ASSERT_EQ(a->second.bits, b->second.bits) << what;
    ASSERT_EQ(a->second.start_ms, b->second.start_ms) << what;
    if (!a->second.is_float) {
      ASSERT_TRUE(SameHistogram(*a->second.histogram, *b->second.histogram)) << what;
    }
  }
}

TEST(MetricMerge, IsTheUnionInWhichTheOlderPackWinsLessWhatIsHidden) {
  const uint64_t seed = std::random_device{}();
  Random random(seed);
  for (int round = 0; round < 15; ++round) {
    MemPackStore store;
    std::vector<PackId> ids;
    std::vector<SeriesOfPack> packs;
    const size_t pack_count = 1 + random() % 5;
    for (size_t p = 0; p < pack_count; ++p) {
      SeriesOfPack pack;
      for (int s = 0; s < 12; ++s) {
        if (s != 0 && random() % 3 == 0) continue;
        // Whole-second times in a part of the day, so that packs meet at the same times.
        const int64_t begin = kDay + static_cast<int64_t>(random() % 20) * 3'600'000;
        SeriesSamples samples = RandomSamples(&random, begin, 3'600'000 * 4 - 1, 500);
        for (int64_t& ts : samples.float_ts_ms) ts -= ts % 7000;
        for (HistogramSample& h : samples.histograms) h.ts_ms -= h.ts_ms % 7000;
        SeriesSamples unique;
        ByTime none;
        for (size_t i = 0; i < samples.floats.size(); ++i) {
          if (!unique.float_ts_ms.empty() && samples.float_ts_ms[i] <= unique.float_ts_ms.back()) continue;
          unique.float_ts_ms.push_back(samples.float_ts_ms[i]);
          unique.floats.push_back(samples.floats[i]);
          if (!samples.float_starts_ms.empty()) unique.float_starts_ms.push_back(samples.float_starts_ms[i]);
        }
        for (size_t i = 0; i < samples.histograms.size(); ++i) {
          const int64_t ts = samples.histograms[i].ts_ms;
          if (!unique.histograms.empty() && ts <= unique.histograms.back().ts_ms) continue;
          if (std::binary_search(unique.float_ts_ms.begin(), unique.float_ts_ms.end(), ts)) continue;
          unique.histograms.push_back(samples.histograms[i]);
          if (!samples.histogram_starts_ms.empty())
            unique.histogram_starts_ms.push_back(samples.histogram_starts_ms[i]);
        }
        if (!unique.empty()) pack[{s % 2 == 0 ? "blue" : "green", Canonical(s)}] = std::move(unique);
      }
      WritePack(&store, p + 1, pack);
      ids.push_back(Id(p + 1));
      packs.push_back(std::move(pack));
      if (HasFatalFailure()) return;
    }
    // Of the first half of the packs one series is deleted, of another a part, of all the first hours.
    const auto hidden = [&](size_t input, std::string_view, std::string_view labels,
                            std::vector<MetricRange>* out) {
      if (input <= pack_count / 2 && labels == Canonical(3)) out->push_back({});
      if (input <= pack_count / 2 && labels == Canonical(4))
        out->push_back({kDay + 10'000'000, kDay + 30'000'000});
      out->push_back({INT64_MIN, kDay + 4'000'000});
    };
    std::map<std::pair<std::string, std::string>, ByTime> expected;
    for (size_t p = 0; p < packs.size(); ++p) {
      for (const auto& [key, samples] : packs[p]) {
        std::vector<MetricRange> ranges;
        hidden(p, key.first, key.second, &ranges);
        AddTo(samples, ranges, &expected[key]);
      }
    }
    std::erase_if(expected, [](const auto& entry) { return entry.second.empty(); });
    auto pending = store.Begin(Id(99));
    ASSERT_OK(pending.status());
    MetricMergeStats stats;
    std::optional<size_t> bad_input;
    const auto merged =
        MergeMetricPacks(ids, store, {.writer = {.block_bytes = 5000}, .hidden = hidden, .pace = nullptr},
                         pending->get(), &stats, &bad_input);
    ASSERT_OK(merged.status());
    if (expected.empty()) {
      EXPECT_FALSE(merged->has_value());
      continue;
    }
    const SeriesOfPack found = ReadPack(store, 99);
    const std::string what = "seed " + std::to_string(seed) + " round " + std::to_string(round);
    ASSERT_EQ(expected.size(), found.size()) << what;
    for (const auto& [key, by_time] : expected) {
      ASSERT_TRUE(found.contains(key)) << what;
      ExpectSame(by_time, found.at(key), what + " " + key.second);
      if (HasFatalFailure()) return;
    }
    EXPECT_EQ(stats.samples_written + stats.samples_hidden + stats.samples_dropped, stats.samples_read);
    EXPECT_TRUE(VerifyPack(store, Id(99), [](const PackDamage& d) { ADD_FAILURE() << d.status.ToString(); }));
  }
}

TEST(MetricMerge, NamesTheInputThatIsDamaged) {
  MemPackStore store;
  SeriesOfPack pack;
  SeriesSamples samples;
  samples.float_ts_ms = {kDay};
  samples.floats = {1};
  pack[{"t", Canonical(1)}] = samples;
  WritePack(&store, 1, pack);
  WritePack(&store, 2, pack);
  store.Overwrite(Id(2), 0, "nonsense");
  auto pending = store.Begin(Id(9));
  ASSERT_OK(pending.status());
  MetricMergeStats stats;
  std::optional<size_t> bad_input;
  const auto merged = MergeMetricPacks({Id(1), Id(2)}, store, {}, pending->get(), &stats, &bad_input);
  EXPECT_EQ(merged.status().code(), Code::kCorruption);
  EXPECT_EQ(bad_input, std::optional<size_t>(1));
}

TEST(MetricMerge, CommitsNothingWhenNoSampleIsLeft) {
  MemPackStore store;
  SeriesOfPack pack;
  SeriesSamples samples;
  samples.float_ts_ms = {kDay};
  samples.floats = {1};
  pack[{"t", Canonical(1)}] = samples;
  WritePack(&store, 1, pack);
  auto pending = store.Begin(Id(9));
  ASSERT_OK(pending.status());
  MetricMergeStats stats;
  std::optional<size_t> bad_input;
  MetricMergeOptions options;
  options.hidden = [](size_t, std::string_view, std::string_view, std::vector<MetricRange>* out) {
    out->push_back({});
  };
  const auto merged = MergeMetricPacks({Id(1)}, store, options, pending->get(), &stats, &bad_input);
  ASSERT_OK(merged.status());
  EXPECT_FALSE(merged->has_value());
  EXPECT_EQ(store.ReadBlock(Id(9), kPackDirectoryBlock).status().code(), Code::kNotFound);
}

}  // namespace
}  // namespace varve
