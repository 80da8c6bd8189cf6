// A metric pack as version 1 wrote it (tests/golden/format/metric_pack_v1: {vu size, bytes} of each block,
// then of the directory) is read for ever after. The file is never rewritten; VARVE_UPDATE_GOLDEN=1 writes it
// when it is missing.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>

#include "engine/base/bytes.h"
#include "engine/model/packed_labels.h"
#include "engine/packs/mem_pack_store.h"
#include "engine/packs/metric_pack_reader.h"
#include "engine/packs/metric_pack_writer.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/engine/codec/metric_samples.h"

namespace varve {
namespace {

constexpr int64_t kDay = 19'676 * kMetricBucketMs;
constexpr int kSeries = 16;
const PackId kId{.retention_class = 0, .bucket = 19'676, .shard = kMetricShardFirst, .number = 1};

std::string LabelsOf(int series) {
  return PackedLabels::FromUnsorted(
             {{"__name__", series < 8 ? "a_total" : "b"}, {"i", std::to_string(100 + series)}})
      .canonical();
}

double ValueOf(int series, int64_t i) {
  const auto x = static_cast<double>(i);
  const auto noise = static_cast<double>((i * 7919 + 13) % 101);
  switch (series) {
    case 0: return 42.5;
    case 1: return 1000 + 15 * x;
    case 2: return 5e9 + 40 * x + noise;
    case 3: return std::round((1000 + 3.25 * x + noise / 100) * 100) / 100;
    case 4: return noise * 1e-6;
    case 5: return 1 / (noise + 3);
    case 6: return 4096 * noise;
    case 7: return i % 50 == 7 ? StaleNan() : noise;
    case 8: return i % 9 == 0 ? -0.0 : i % 9 == 1 ? std::numeric_limits<double>::infinity() : 3;
    case 9: return std::bit_cast<double>(0x7ff8000000000000ULL + static_cast<uint64_t>(i % 3));
    case 10: return x * x * 3;
    case 11: return i % 100 == 3 ? 1e12 : noise / 64;
    default: return std::numeric_limits<double>::denorm_min() * noise;
  }
}

HistogramPtr HistogramOf(int series, int64_t i) {
  auto h = std::make_shared<NativeHistogram>();
  h->is_float = series == 14;
  h->hint = static_cast<CounterResetHint>(i % 4 == 0 ? 1 : 2);
  h->schema = i < 30 ? 3 : 2;
  h->zero_threshold = 0.001;
  h->sum = static_cast<double>(i) * 1.5;
  h->positive_spans = {{-2, 2}, {3, 1}};
  if (h->is_float) {
    h->schema = kCustomBucketsSchema;
    h->custom_values = {0.5, 1, 2.5};
    h->float_count = static_cast<double>(i) / 2;
    h->float_zero_count = 1;
    h->positive_counts = {static_cast<double>(i), 0.25, 7};
    return h;
  }
  h->count = static_cast<uint64_t>(10 * i);
  h->zero_count = static_cast<uint64_t>(i / 3);
  h->positive_deltas = {i, i % 5 - 2, 4};
  h->negative_spans = {{0, 1}};
  h->negative_deltas = {i / 2};
  return h;
}

SeriesSamples SamplesOf(int series) {
  SeriesSamples samples;
  const int64_t count = series == 1 ? 9000 : 600;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t ts = series == 1 ? kDay + i * 1000 : kDay + i * 15'000 + (series % 2) * (i * 31 % 8);
    if (series == 13 || series == 14 || (series == 15 && i % 2 == 0)) {
      if (i >= 60) break;
      samples.histograms.push_back({.ts_ms = ts, .histogram = HistogramOf(series, i)});
      if (series == 13) samples.histogram_starts_ms.push_back(ts - 15'000);
      continue;
    }
    samples.float_ts_ms.push_back(ts);
    samples.floats.push_back(ValueOf(series, i));
    if (series == 3) samples.float_starts_ms.push_back(i < 300 ? kDay - 5 : kDay + 300 * 15'000);
  }
  return samples;
}

constexpr const char* kFile = VARVE_SOURCE_DIR "/tests/golden/format/metric_pack_v1";

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

void Write() {
  MemPackStore store;
  auto pending = store.Begin(kId);
  ASSERT_OK(pending.status());
  MetricPackWriter writer({}, pending->get());
  for (int series = 0; series < kSeries; ++series) {
    ASSERT_OK(writer.AddSeries(static_cast<uint64_t>(series) << 56, "fake", LabelsOf(series)));
    ASSERT_OK(writer.AddSamples(SamplesOf(series)));
  }
  const auto directory = writer.Finish();
  ASSERT_OK(directory.status());
  std::string all;
  for (uint32_t b = 0; b <= directory->blocks.size(); ++b) {
    const auto bytes = store.ReadBlock(kId, b == directory->blocks.size() ? kPackDirectoryBlock : b);
    PutLengthPrefixed(&all, bytes->view);
  }
  std::ofstream(kFile, std::ios::binary) << all;
}

TEST(MetricGolden, APackOfVersion1) {
  if (std::getenv("VARVE_UPDATE_GOLDEN") != nullptr && !std::ifstream(kFile).good()) Write();
  const std::string all = ReadFile(kFile);
  std::vector<std::string> parts;
  ByteReader parts_reader(all);
  while (parts_reader.remaining() != 0 && parts_reader.ok())
    parts.emplace_back(parts_reader.LengthPrefixed());
  ASSERT_GT(parts.size(), 2u);
  const std::string directory_bytes = parts.back();
  const auto directory = DecodeMetricPackDirectory(directory_bytes, MetricLabels::kRead);
  ASSERT_OK(directory.status());
  MemPackStore store;
  {
    auto pending = store.Begin(kId);
    ASSERT_OK(pending.status());
    ASSERT_EQ(parts.size(), directory->blocks.size() + 1);
    for (size_t b = 0; b + 1 < parts.size(); ++b) ASSERT_OK((*pending)->AddBlock(parts[b]));
    ASSERT_OK((*pending)->CommitBytes(directory_bytes));
  }
  EXPECT_TRUE(VerifyPack(store, kId, [](const PackDamage& d) { ADD_FAILURE() << d.status.ToString(); }));
  ASSERT_EQ(directory->series_count(), static_cast<uint32_t>(kSeries));
  EXPECT_EQ(directory->tenants, std::vector<std::string>{"fake"});
  MetricPackReader reader(&store, kId, &*directory);
  for (int series = 0; series < kSeries; ++series) {
    const auto number = static_cast<uint32_t>(series);
    EXPECT_EQ(directory->fingerprints[number], static_cast<uint64_t>(series) << 56);
    EXPECT_EQ(directory->LabelsOf(number), LabelsOf(series));
    SeriesSamples samples;
    ASSERT_OK(reader.Read(number, {}, &samples));
    ExpectSameSamples(SamplesOf(series), samples, "series " + std::to_string(series));
  }
}

}  // namespace
}  // namespace varve
