// Metric packs end to end: written, read back whole and in part, damaged.
#include <gtest/gtest.h>

#include <map>

#include "engine/model/packed_labels.h"
#include "engine/packs/mem_pack_store.h"
#include "engine/packs/metric_pack_reader.h"
#include "engine/packs/metric_pack_writer.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/engine/codec/metric_samples.h"

namespace varve {
namespace {

constexpr int64_t kDay = 20'000 * kMetricBucketMs;
const PackId kId{.retention_class = 0, .bucket = 20'000, .shard = kMetricShardFirst, .number = 1};

std::string Canonical(const std::string& name, int instance) {
  return PackedLabels::FromUnsorted(
             {{"__name__", name}, {"instance", std::to_string(1000 + instance)}, {"job", "a"}})
      .canonical();
}

struct TestSeries {
  std::string tenant;
  std::string labels;
  SeriesSamples samples;
};

struct Written {
  MemPackStore store;
  MetricPackDirectory directory;
};

void Write(const std::vector<TestSeries>& series, const MetricPackWriterOptions& options, Written* out) {
  auto pending = out->store.Begin(kId);
  ASSERT_OK(pending.status());
  MetricPackWriter writer(options, pending->get());
  uint64_t fingerprint = 100;
  for (const TestSeries& one : series) {
    ASSERT_OK(writer.AddSeries(fingerprint++, one.tenant, one.labels));
    ASSERT_OK(writer.AddSamples(one.samples));
  }
  auto directory = writer.Finish();
  ASSERT_OK(directory.status());
  out->directory = std::move(directory).value();
}

std::vector<TestSeries> RandomSeries(Random* random, int count, size_t many = 20'000) {
  std::vector<TestSeries> series;
  for (int i = 0; i < count; ++i) {
    TestSeries one;
    one.tenant = i < count / 2 ? "blue" : "green";
    one.labels = Canonical(i % 10 < 5 ? "metric_a" : "metric_b", i);
    const size_t samples_max = i % 7 == 0 ? many : 700;
    one.samples = RandomSamples(random, kDay, kMetricBucketMs, samples_max);
    series.push_back(std::move(one));
  }
  std::sort(series.begin(), series.end(), [](const TestSeries& a, const TestSeries& b) {
    return a.tenant != b.tenant ? a.tenant < b.tenant : MetricSeriesLess(a.labels, b.labels);
  });
  return series;
}

TEST(MetricPack, GivesBackEverySeriesWholeAndInPart) {
  const uint64_t seed = std::random_device{}();
  Random random(seed);
  for (const uint32_t block_bytes : {500U, 256U << 10}) {
    const std::vector<TestSeries> series = RandomSeries(&random, 30);
    Written written;
    Write(series, {.block_bytes = block_bytes, .open_bytes_max = 100'000}, &written);
    if (HasFatalFailure()) return;
    const auto stored = ReadMetricPackDirectory(written.store, kId, MetricLabels::kRead);
    ASSERT_OK(stored.status());
    ASSERT_EQ(*stored, written.directory);
    MetricPackReader reader(&written.store, kId, &*stored);
    uint64_t floats = 0;
    for (uint32_t s = 0; s < series.size(); ++s) {
      const std::string what = "seed " + std::to_string(seed) + " series " + std::to_string(s);
      EXPECT_EQ(stored->LabelsOf(s), series[s].labels);
      EXPECT_EQ(stored->tenants[stored->TenantOf(s)], series[s].tenant);
      SeriesSamples read;
      ASSERT_OK(reader.Read(s, {}, &read));
      ExpectSameSamples(series[s].samples, read, what);
      floats += read.floats.size();
      const int64_t begin = kDay + static_cast<int64_t>(random() % kMetricBucketMs);
      const MetricRange range{begin, begin + static_cast<int64_t>(random() % 20'000'000)};
      read.Clear();
      ASSERT_OK(reader.Read(s, range, &read));
      SeriesSamples expected = Clipped(series[s].samples, range);
      // A start that lies outside of the range leaves the column there, or not.
      if (read.float_starts_ms.empty()) expected.float_starts_ms.clear();
      if (read.histogram_starts_ms.empty()) expected.histogram_starts_ms.clear();
      ExpectSameSamples(expected, read, what + " clipped");
      if (HasFatalFailure()) return;
    }
    EXPECT_EQ(stored->floats, floats);
  }
}

// All bytes of the pack: the directory's, then each block's.
std::map<uint32_t, std::string> AllBytes(const Written& written) {
  std::map<uint32_t, std::string> bytes;
  for (uint32_t b = 0; b < written.directory.blocks.size(); ++b) {
    bytes[b] = written.store.ReadBlock(kId, b)->view;
  }
  bytes[kPackDirectoryBlock] = written.store.ReadBlock(kId, kPackDirectoryBlock)->view;
  return bytes;
}

TEST(MetricPack, IsFoundDamagedWhereverABitIsFlippedOrBytesAreMissing) {
  const uint64_t seed = std::random_device{}();
  Random random(seed);
  const std::vector<TestSeries> series = RandomSeries(&random, 6, 700);
  Written written;
  Write(series, {.block_bytes = 4000}, &written);
  EXPECT_TRUE(
      VerifyPack(written.store, kId, [](const PackDamage& d) { ADD_FAILURE() << d.status.ToString(); }));
  const auto all = AllBytes(written);
  for (const auto& [block, good] : all) {
    for (int round = 0; round < (block == kPackDirectoryBlock ? 60 : 4); ++round) {
      std::string bad = good;
      const size_t at = random() % bad.size();
      if (random() % 4 == 0) {
        bad.resize(at);
      } else {
        bad[at] = static_cast<char>(bad[at] ^ (1 << (random() % 8)));
      }
      written.store.Overwrite(kId, block, bad);
      int damages = 0;
      EXPECT_FALSE(VerifyPack(written.store, kId,
                              [&](const PackDamage& damage) {
                                ++damages;
                                EXPECT_EQ(damage.status.code(), Code::kCorruption)
                                    << damage.status.ToString();
                              }))
          << "seed " << seed << " block " << block << " byte " << at;
      EXPECT_GE(damages, 1);
    }
    written.store.Overwrite(kId, block, good);
  }
}

TEST(MetricPack, IsFoundDamagedWhenABlockIsAnothersOfThePack) {
  Random random(5);
  Written written;
  Write(RandomSeries(&random, 6, 700), {.block_bytes = 4000}, &written);
  const auto all = AllBytes(written);
  written.store.Overwrite(kId, 0, all.at(1));
  EXPECT_FALSE(VerifyPack(written.store, kId, [](const PackDamage&) {}));
}

TEST(MetricPack, LabelsCanBeReadOneAfterAnother) {
  Random random(6);
  const std::vector<TestSeries> series = RandomSeries(&random, 30);
  Written written;
  Write(series, {}, &written);
  auto reader = MetricLabelReader::Open(written.store.ReadBlock(kId, kPackDirectoryBlock)->view);
  ASSERT_OK(reader.status());
  for (const TestSeries& one : series) {
    ASSERT_TRUE(reader->Next());
    EXPECT_EQ(reader->labels(), one.labels);
  }
  EXPECT_FALSE(reader->Next());
  EXPECT_TRUE(reader->AtEnd());
}

TEST(MetricPack, StoresTheTimestampsOfATargetOnce) {
  std::vector<TestSeries> series;
  for (int i = 0; i < 500; ++i) {
    TestSeries one{.tenant = "t", .labels = Canonical("m", i), .samples = {}};
    for (int64_t k = 0; k < 480; ++k) {
      one.samples.float_ts_ms.push_back(kDay + k * 15'000 + (k * k) % 7);
      one.samples.floats.push_back(i);
    }
    series.push_back(std::move(one));
  }
  Written written;
  Write(series, {}, &written);
  ASSERT_EQ(written.directory.timeline_order.size(), 1u);
  const MetricPackBlock& timelines = written.directory.blocks[written.directory.timeline_order[0]];
  EXPECT_EQ(timelines.timeline_count, 1u);
  EXPECT_LT(timelines.encoded_bytes, 250u);
  EXPECT_LT(written.directory.encoded_bytes, 250u + 500 * 9);
}

TEST(MetricPack, RefusesSeriesOrSamplesOutOfOrder) {
  Written written;
  auto pending = written.store.Begin(kId);
  ASSERT_OK(pending.status());
  SeriesSamples one;
  one.float_ts_ms = {kDay, kDay};
  one.floats = {1, 2};
  MetricPackWriter writer({}, pending->get());
  ASSERT_OK(writer.AddSeries(1, "t", Canonical("m", 2)));
  EXPECT_EQ(writer.AddSamples(one).code(), Code::kInvalidArgument);
  one.float_ts_ms = {kDay};
  one.floats = {1};
  ASSERT_OK(writer.AddSamples(one));
  one.float_ts_ms = {kDay + 1};
  EXPECT_EQ(writer.AddSamples(one).code(), Code::kInvalidArgument);  // the span has been closed
  EXPECT_EQ(writer.AddSeries(1, "t", Canonical("m", 1)).code(), Code::kInvalidArgument);
  EXPECT_EQ(writer.AddSeries(1, "a", Canonical("m", 3)).code(), Code::kInvalidArgument);
}

TEST(MetricPack, HoldsTheExtremesOfTime) {
  Written written;
  std::vector<TestSeries> series(1);
  series[0] = {.tenant = "t", .labels = Canonical("m", 1), .samples = {}};
  series[0].samples.float_ts_ms = {kMetricTimestampMin, -1, 0, kMetricTimestampMax};
  series[0].samples.floats = {1, 2, 3, 4};
  Write(series, {}, &written);
  const auto stored = ReadMetricPackDirectory(written.store, kId, MetricLabels::kSkip);
  ASSERT_OK(stored.status());
  MetricPackReader reader(&written.store, kId, &*stored);
  SeriesSamples read;
  ASSERT_OK(reader.Read(0, {}, &read));
  ExpectSameSamples(series[0].samples, read, "extremes");
}

}  // namespace
}  // namespace varve
