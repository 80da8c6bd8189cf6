// Metric chunks: bytes a sample and speed, on the shapes of bench's metric load (gen_metrics_load.py) and of
// a node_exporter; decoding one series at a time as queries do, and writing a whole pack.
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/codec/double_sequence.h"
#include "engine/codec/metric_block.h"
#include "engine/model/packed_labels.h"
#include "engine/packs/mem_pack_store.h"
#include "engine/packs/metric_pack_reader.h"
#include "engine/packs/metric_pack_writer.h"

namespace varve {
namespace {

constexpr int64_t kDay = 20'000 * kMetricBucketMs;
constexpr int64_t kStepMs = 15'000;
constexpr size_t kSpanSamples = 480;

enum Shape { kConstant, kSeconds, kCounter, kBytes, kGauge, kLoad, kRare, kTrueDouble };

struct Source {
  Shape shape;
  double value;
  double scale;
  double Next(std::mt19937_64* random) {
    std::uniform_real_distribution<double> uniform(0, 1);
    std::exponential_distribution<double> exponential(1);
    std::normal_distribution<double> normal(0, 1);
    switch (shape) {
      case kConstant: break;
      case kSeconds: value = std::round((value + uniform(*random) * scale) * 100) / 100; break;
      case kCounter:
      case kBytes: value += std::floor(exponential(*random) * scale); break;
      case kGauge: value = std::max(0.0, std::round(value + normal(*random) * scale)); break;
      case kLoad: value = std::max(0.0, std::round((value + normal(*random) * scale) * 1000) / 1000); break;
      case kRare: value += uniform(*random) < 0.01 ? 1 : 0; break;
      case kTrueDouble: value += normal(*random) * scale; break;
    }
    return value;
  }
};

Source SourceOf(int64_t shape) {
  switch (shape) {
    case kConstant: return {kConstant, 549755813888, 0};
    case kSeconds: return {kSeconds, 123456.78, 2.0};
    case kCounter: return {kCounter, 1 << 30, 40};
    case kBytes: return {kBytes, 1 << 30, 90'000};
    case kGauge: return {kGauge, 8e9, 1 << 20};
    case kLoad: return {kLoad, 1.5, 0.1};
    case kRare: return {kRare, 7, 0};
    default: return {kTrueDouble, 0.25, 0.01};
  }
}

std::vector<double> Values(int64_t shape) {
  std::mt19937_64 random(7);
  Source source = SourceOf(shape);
  std::vector<double> values;
  for (size_t i = 0; i < kSpanSamples; ++i) values.push_back(source.Next(&random));
  return values;
}

void Report(benchmark::State& state, size_t samples, size_t bytes) {
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * samples));
  state.counters["bytes_per_sample"] = static_cast<double>(bytes) / static_cast<double>(samples);
}

void BM_EncodeValues(benchmark::State& state) {
  const std::vector<double> values = Values(state.range(0));
  std::string bytes;
  for (auto _ : state) {
    bytes.clear();
    EncodeDoubleSequence(values, &bytes);
    benchmark::DoNotOptimize(bytes.data());
  }
  Report(state, values.size(), bytes.size());
}
BENCHMARK(BM_EncodeValues)->DenseRange(kConstant, kTrueDouble);

void BM_DecodeValues(benchmark::State& state) {
  const std::vector<double> values = Values(state.range(0));
  std::string bytes;
  EncodeDoubleSequence(values, &bytes);
  std::vector<double> decoded(values.size());
  for (auto _ : state) {
    ByteReader reader(bytes);
    VARVE_CHECK(DecodeDoubleSequence(&reader, decoded));
    benchmark::DoNotOptimize(decoded.data());
  }
  Report(state, values.size(), bytes.size());
}
BENCHMARK(BM_DecodeValues)->DenseRange(kConstant, kTrueDouble);

// The load's fleet, as gen_metrics_load.py has it.
struct Fleet {
  std::vector<std::pair<std::string, Source>> series;  // canonical labels
};

void Add(Fleet* fleet, std::vector<LabelView> labels, Source source) {
  fleet->series.emplace_back(PackedLabels::FromUnsorted(std::move(labels)).canonical(), source);
}

Fleet MakeFleet(int hosts) {
  Fleet fleet;
  std::mt19937_64 random(7);
  const auto any = [&](uint64_t n) { return static_cast<double>(random() % n); };
  for (int h = 0; h < hosts; ++h) {
    const std::string host = "10.0." + std::to_string(h / 250) + "." + std::to_string(h % 250) + ":9100";
    const auto add = [&](const char* name, const char* key, const std::string& value, Source source) {
      Add(&fleet, {{"__name__", name}, {"instance", host}, {"job", "node"}, {key, value}}, source);
    };
    for (int cpu = 0; cpu < 16; ++cpu) {
      for (const char* mode : {"user", "system", "idle", "iowait", "irq", "softirq", "steal", "nice"}) {
        const std::string_view m = mode;
        const double busy = m == "idle"                                 ? 14
                            : m == "user"                               ? 2
                            : m == "system"                             ? 0.7
                            : m == "irq" || m == "steal" || m == "nice" ? 0
                                                                        : 0.02;
        Add(&fleet,
            {{"__name__", "node_cpu_seconds_total"},
             {"cpu", std::to_string(cpu)},
             {"instance", host},
             {"job", "node"},
             {"mode", m}},
            {busy != 0 ? kSeconds : kConstant, std::round(any(100'000'000)) / 100, busy});
      }
    }
    for (int i = 0; i < 6; ++i)
      add("node_memory_bytes", "kind", std::to_string(i), {kGauge, any(1ULL << 34), 1 << 20});
    for (int i = 0; i < 2; ++i)
      add("node_memory_total_bytes", "kind", std::to_string(i), {kConstant, any(1ULL << 34), 0});
    for (int i = 0; i < 6; ++i)
      add("node_disk_completed_total", "device", std::to_string(i), {kCounter, any(1 << 30), 40});
    for (int i = 0; i < 6; ++i)
      add("node_disk_bytes_total", "device", std::to_string(i), {kBytes, any(1 << 30), 4096});
    for (int i = 0; i < 3; ++i)
      add("node_disk_io_time_seconds_total", "device", std::to_string(i), {kSeconds, 0, 0.5});
    for (int i = 0; i < 9; ++i)
      add("node_network_total", "device", std::to_string(i), {kBytes, any(1 << 30), 90'000});
    for (int i = 0; i < 3; ++i) add("node_network_errs_total", "device", std::to_string(i), {kRare, 0, 0});
    for (int i = 0; i < 3; ++i)
      add("node_filesystem_size_bytes", "mountpoint", std::to_string(i), {kConstant, 549755813888, 0});
    for (int i = 0; i < 3; ++i)
      add("node_filesystem_avail_bytes", "mountpoint", std::to_string(i), {kGauge, 274877906944, 65536});
    add("node_load1", "x", "y", {kLoad, 1.5, 0.1});
    add("up", "x", "y", {kConstant, 1, 0});
    for (int pod = 0; pod < 10; ++pod) {
      const std::string id = std::to_string(h * 10 + pod) + "-" + std::to_string(random() % 1048576);
      add("container_cpu_usage_seconds_total", "pod", id, {kSeconds, 0, 0.4});
      add("container_memory_working_set_bytes", "pod", id, {kGauge, 268435456, 16384});
    }
    if (h % 5 != 0) continue;
    for (int path = 0; path < 4; ++path) {
      for (int le = 0; le < 12; ++le) {
        add("http_request_duration_seconds_bucket", "le", std::to_string(path * 100 + le),
            {kCounter, 1000.0 * le, 3.0 + le});
      }
      add("http_request_duration_seconds_sum", "path", std::to_string(path), {kSeconds, 0, 3});
      add("http_requests_total", "path", std::to_string(path), {kCounter, 0, 20});
    }
  }
  std::sort(fleet.series.begin(), fleet.series.end(),
            [](const auto& a, const auto& b) { return MetricSeriesLess(a.first, b.first); });
  return fleet;
}

// Three hours of samples of each series; each series has a phase of its own, as in the load, or its target's
// with `jitter_ms` of noise, as scraped.
std::vector<SeriesSamples> MakeSamples(Fleet fleet, int64_t jitter_ms) {
  std::mt19937_64 random(9);
  std::vector<SeriesSamples> all;
  std::vector<std::vector<int64_t>> of_target;
  for (size_t i = 0; i < fleet.series.size(); ++i) {
    SeriesSamples& samples = all.emplace_back();
    if (jitter_ms != 0 && of_target.size() < 50) {
      of_target.emplace_back();
      for (int64_t k = 0; k < 720; ++k) {
        of_target.back().push_back(kDay + 500 + static_cast<int64_t>(of_target.size()) * 101 + k * kStepMs +
                                   static_cast<int64_t>(random() % static_cast<uint64_t>(jitter_ms)));
      }
    }
    for (int64_t k = 0; k < 720; ++k) {
      const int64_t ts = jitter_ms != 0 ? of_target[i % of_target.size()][static_cast<size_t>(k)]
                                        : kDay + k * kStepMs + static_cast<int64_t>(i * 7919) % 997;
      samples.float_ts_ms.push_back(ts);
      samples.floats.push_back(fleet.series[i].second.Next(&random));
    }
  }
  return all;
}

const PackId kId{.retention_class = 0, .bucket = 20'000, .shard = kMetricShardFirst, .number = 1};

MetricPackDirectory WritePack(const Fleet& fleet, const std::vector<SeriesSamples>& samples,
                              MemPackStore* store) {
  auto pending = store->Begin(kId);
  VARVE_CHECK(pending.ok());
  MetricPackWriter writer({}, pending->get());
  for (size_t i = 0; i < samples.size(); ++i) {
    VARVE_CHECK(writer.AddSeries(i, "t", fleet.series[i].first).ok());
    VARVE_CHECK(writer.AddSamples(samples[i]).ok());
  }
  auto directory = writer.Finish();
  VARVE_CHECK(directory.ok());
  return std::move(directory).value();
}

// Argument: milliseconds of jitter; 0: regular.
void BM_WritePack(benchmark::State& state) {
  const Fleet fleet = MakeFleet(20);
  const std::vector<SeriesSamples> samples = MakeSamples(fleet, state.range(0));
  uint64_t bytes = 0;
  uint64_t directory_bytes = 0;
  for (auto _ : state) {
    MemPackStore store;
    bytes = WritePack(fleet, samples, &store).encoded_bytes;
    directory_bytes = store.ReadBlock(kId, kPackDirectoryBlock)->view.size();
  }
  Report(state, samples.size() * 720, bytes + directory_bytes);
  state.counters["directory_bytes_per_series"] =
      static_cast<double>(directory_bytes) / static_cast<double>(samples.size());
}
BENCHMARK(BM_WritePack)->Arg(0)->Arg(7)->Unit(benchmark::kMillisecond);

// Every series of a pack, from parsed blocks.
void BM_ReadPack(benchmark::State& state) {
  const Fleet fleet = MakeFleet(20);
  const std::vector<SeriesSamples> samples = MakeSamples(fleet, state.range(0));
  MemPackStore store;
  const MetricPackDirectory directory = WritePack(fleet, samples, &store);
  SeriesSamples read;
  for (auto _ : state) {
    MetricPackReader reader(&store, kId, &directory);
    for (uint32_t s = 0; s < directory.series_count(); ++s) {
      read.Clear();
      VARVE_CHECK(reader.Read(s, {}, &read).ok());
      benchmark::DoNotOptimize(read.floats.data());
    }
  }
  Report(state, samples.size() * 720, directory.encoded_bytes);
}
BENCHMARK(BM_ReadPack)->Arg(0)->Arg(7)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace varve

BENCHMARK_MAIN();
