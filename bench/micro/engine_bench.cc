// Appends, cuts, flushes and recovers a synthetic load through the engine alone: no HTTP, no decoding.
//
//   engine_bench [--lines N] [--threads N] [--dir DIR] [--disk] [--budget-mb N] [--no-flush]
//
// Lines are web-server-like text of about 120 bytes in 132 streams. A journal record stands for a
// compressed body: a third of the lines' bytes, incompressible. Prints lines per wall and CPU second,
// peak RSS, bytes on disk, and how long a restart takes to replay what was not flushed.
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/engine.h"

namespace varve {
namespace {

struct Settings {
  uint64_t lines = 2'000'000;
  int threads = 4;
  std::string dir = "/tmp/varve_engine_bench";
  bool disk = false;
  int64_t budget_mb = 0;
  bool flush = true;
};

constexpr uint32_t kStreams = 132;
constexpr uint32_t kLinesPerPush = 8000;
constexpr size_t kTemplates = 32;

struct Push {
  std::vector<std::string> lines;
  std::string filler;
};

double CpuSeconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double WallSeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int64_t PeakRssMiB() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

uint64_t BytesOnDisk(const std::string& dir) {
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

std::vector<Push> MakePushes() {
  std::mt19937_64 random(20261120);
  const char* methods[] = {"GET", "POST", "PUT", "DELETE"};
  std::vector<Push> pushes(kTemplates);
  for (Push& push : pushes) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < kLinesPerPush; ++i) {
      char line[256];
      const int size = std::snprintf(
          line, sizeof(line),
          "10.%u.%u.%u - - \"%s /api/v1/items/%lu?trace=%016lx HTTP/1.1\" %d %lu \"-\" \"Mozilla/5.0 (X11)\" "
          "rt=%.3f",
          static_cast<unsigned>(random() % 4), static_cast<unsigned>(random() % 256),
          static_cast<unsigned>(random() % 256), methods[random() % 4], random() % 10000, random(),
          random() % 10 == 0 ? 500 : 200, random() % 100000, static_cast<double>(random() % 5000) / 1000);
      push.lines.emplace_back(line, static_cast<size_t>(size));
      bytes += static_cast<size_t>(size);
    }
    push.filler.resize(bytes / 3);
    for (char& c : push.filler) c = static_cast<char>(random());
  }
  return pushes;
}

// Record: push number, then filler.
void FillBatch(const Push& push, uint64_t number, const std::vector<StreamOrdinal>& streams,
               AppendBatch* batch) {
  batch->Clear();
  const uint32_t per_stream = kLinesPerPush / 12;
  const int64_t base_ns = 1'700'000'000'000'000'000 + static_cast<int64_t>(number) * kNsPerSecond * 20;
  for (uint32_t i = 0; i < kLinesPerPush; ++i) {
    if (i % per_stream == 0) {
      batch->streams.push_back(
          {.stream = streams[(number * 12 + i / per_stream) % kStreams], .begin = i, .count = 0});
    }
    ++batch->streams.back().count;
    batch->entries.push_back({.ts_ns = base_ns + i * 1'000'003,
                              .line = push.lines[i],
                              .metadata = i % 7 == 0 ? "\x0e"
                                                       "detected_level\x05"
                                                       "error"
                                                     : "\x0e"
                                                       "detected_level\x04"
                                                       "info"});
  }
}

std::vector<StreamOrdinal> InternStreams(Engine* engine) {
  const Result<TenantId> tenant = engine->InternTenant("bench");
  std::vector<StreamOrdinal> streams;
  for (uint32_t i = 0; i < kStreams; ++i) {
    const Result<StreamOrdinal> stream = engine->InternStream(
        *tenant,
        Labels::FromUnsorted({{"job", "job" + std::to_string(i % 6)}, {"pod", "pod-" + std::to_string(i)}}));
    streams.push_back(*stream);
  }
  return streams;
}

int Fail(const Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

void Report(const char* what, uint64_t lines, double wall, double cpu) {
  std::printf("%-10s %9.0f lines/s  %9.0f lines/CPU-s  (%.2f s, %.2f CPU-s)  peak RSS %ld MiB\n", what,
              static_cast<double>(lines) / wall, static_cast<double>(lines) / cpu, wall, cpu, PeakRssMiB());
}

int Run(const Settings& settings) {
  std::filesystem::remove_all(settings.dir);
  const std::vector<Push> pushes = MakePushes();
  const int64_t rss_before = PeakRssMiB();
  EngineOptions options;
  options.data_dir = settings.dir;
  options.memory_budget_bytes = settings.budget_mb << 20;
  options.durability = settings.disk ? Durability::kDisk : Durability::kProcess;
  options.disk_full_fraction = 1.0;
  std::vector<StreamOrdinal> streams;
  Engine* current = nullptr;
  const ReplayFn replay = [&](std::string_view record, ReplaySink* sink) -> Status {
    thread_local AppendBatch batch;
    const auto number = LoadFixed<uint64_t>(record.data());
    FillBatch(pushes[number % kTemplates], number, streams, &batch);
    sink->OnLogs(batch);
    return Status::Ok();
  };
  {
    Result<std::unique_ptr<Engine>> engine = Engine::Open(options);
    if (!engine.ok()) return Fail(engine.status());
    current = engine->get();
    if (Status status = current->Recover(replay); !status.ok()) return Fail(status);
    streams = InternStreams(current);
    std::atomic<uint64_t> next{0};
    std::atomic<uint64_t> shed{0};
    const uint64_t count = settings.lines / kLinesPerPush;
    const double wall = WallSeconds();
    const double cpu = CpuSeconds();
    std::vector<std::thread> threads;
    for (int t = 0; t < settings.threads; ++t) {
      threads.emplace_back([&] {
        AppendBatch batch;
        for (uint64_t number = next++; number < count; number = next++) {
          const Push& push = pushes[number % kTemplates];
          FillBatch(push, number, streams, &batch);
          std::string record;
          PutFixed<uint64_t>(&record, number);
          record += push.filler;
          while (!current->Append(batch, record).ok()) ++shed;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    const uint64_t lines = count * kLinesPerPush;
    Report("append", lines, WallSeconds() - wall, CpuSeconds() - cpu);
    std::printf("           of which %ld MiB before the load; %lu pushes shed and repeated\n", rss_before,
                shed.load());
    if (settings.flush) {
      if (Status status = current->Flush(); !status.ok()) return Fail(status);
      Report("+ flush", lines, WallSeconds() - wall, CpuSeconds() - cpu);
    }
    const EngineStats stats = current->Stats();
    std::printf("%lu cuts, %lu packs, %lu blocks, %.1f MB of lines in %.1f MB of blocks; %.1f MB on disk\n",
                stats.cuts, stats.packs, stats.blocks_written,
                static_cast<double>(stats.encoded_line_bytes) / 1e6,
                static_cast<double>(stats.encoded_block_bytes) / 1e6,
                static_cast<double>(BytesOnDisk(settings.dir)) / 1e6);
    for (const EngineStats::Budget& budget : stats.budgets) {
      std::printf("  %-12s %6ld of %6ld MiB at peak\n", budget.name.c_str(), budget.peak_bytes >> 20,
                  budget.limit_bytes >> 20);
    }
  }
  const double wall = WallSeconds();
  Result<std::unique_ptr<Engine>> engine = Engine::Open(options);
  if (!engine.ok()) return Fail(engine.status());
  const double opened = WallSeconds();
  streams = InternStreams(engine->get());
  if (Status status = (*engine)->Recover(replay); !status.ok()) return Fail(status);
  const EngineStats stats = (*engine)->Stats();
  std::printf("restart    open %.3f s, replay %.3f s: %lu records, %lu entries, journal %.1f MB\n",
              opened - wall, stats.recovery_seconds, stats.replayed_records, stats.replayed_entries,
              static_cast<double>(stats.journal_live_bytes) / 1e6);
  return 0;
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) {
  varve::Settings settings;
  for (int i = 1; i < argc; ++i) {
    const auto next = [&] { return i + 1 < argc ? argv[++i] : ""; };
    if (std::strcmp(argv[i], "--lines") == 0)
      settings.lines = std::strtoull(next(), nullptr, 10);
    else if (std::strcmp(argv[i], "--threads") == 0)
      settings.threads = std::atoi(next());
    else if (std::strcmp(argv[i], "--dir") == 0)
      settings.dir = next();
    else if (std::strcmp(argv[i], "--budget-mb") == 0)
      settings.budget_mb = std::atol(next());
    else if (std::strcmp(argv[i], "--disk") == 0)
      settings.disk = true;
    else if (std::strcmp(argv[i], "--no-flush") == 0)
      settings.flush = false;
    else
      return std::fprintf(stderr, "unknown option %s\n", argv[i]), 1;
  }
  return varve::Run(settings);
}
