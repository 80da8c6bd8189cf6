// What a push costs before the engine: whole pushes into an engine that does nothing, and their parts.
//
// Bodies are those of the shared load (bench/, gen_logs_load.py) when VARVE_LOAD_DIR names a folder with
// *.body files; else they are made here from a few real lines. `CPU/line` is what the design budgets.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "ingest/content_decoding.h"
#include "ingest/level_detection.h"
#include "ingest/loki_json.h"
#include "ingest/loki_protobuf.h"
#include "ingest/utf8_repair.h"
#include "ingest/write_path.h"
#include "tests/support/push_bodies.h"
#include "tests/support/recording_engine.h"

namespace varve {
namespace {

using testing::PushStream;
using testing::RecordingEngine;

constexpr size_t kBodies = 16;

struct Load {
  std::vector<std::string> bodies;  // protobuf, snappy
  std::vector<std::string> json;
  std::vector<std::string> lines;  // of the first bodies
  size_t line_count = 0;           // of all bodies
  size_t line_bytes = 0;
};

std::vector<PushStream> MadeStreams(std::mt19937* random) {
  static const char* const kLines[] = {
      "Dec 10 06:55:46 LabSZ sshd[%u]: Failed password for invalid user webmaster from 173.234.31.186 port "
      "%u ssh2",
      "[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() ok /etc/httpd/conf/workers2.properties child %u "
      "of %u",
      "081109 203518 %u INFO dfs.DataNode$PacketResponder: PacketResponder 1 for block blk_38865049064139660 "
      "terminating %u",
      "{\"level\":\"info\",\"msg\":\"request "
      "served\",\"status\":200,\"duration_ms\":%u.5,\"user\":{\"id\":%u},\"path\":\"/api/v1/users\"}",
      "ts=1793491200000 level=warn caller=engine.go:%u msg=\"flush chunk\" duration=%ums bytes=1024B "
      "trace=00f067aa0ba902b7",
      "10.2.3.4 - - [01/Nov/2026:00:00:01 +0000] \"GET /api/v1/orders HTTP/1.1\" 200 %u \"-\" "
      "\"curl/7.88.1\" 0.%u",
  };
  std::vector<PushStream> streams;
  for (size_t s = 0; s < 24; ++s) {
    PushStream stream{{{"job", "job" + std::to_string(s % 6)}, {"host", "web-" + std::to_string(s)}}, {}};
    for (int i = 0; i < 340; ++i) {
      char line[512];
      std::snprintf(line, sizeof(line), kLines[s % 6], static_cast<unsigned>((*random)() % 100000),
                    static_cast<unsigned>((*random)() % 65536));
      stream.entries.push_back({1'793'491'200'000'000'000 + i * 1'000'003LL, line, {}});
    }
    streams.push_back(std::move(stream));
  }
  return streams;
}

std::vector<PushStream> StreamsOf(const DecodedPush& decoded) {
  std::vector<PushStream> streams;
  for (const DecodedPush::Stream& raw : decoded.streams) {
    PushStream stream{{{"labels", std::string(raw.labels)}}, {}};
    for (uint32_t i = raw.begin; i < raw.begin + raw.count; ++i) {
      stream.entries.push_back({decoded.entries[i].ts_ns, std::string(decoded.entries[i].line), {}});
    }
    streams.push_back(std::move(stream));
  }
  return streams;
}

Load MakeLoad() {
  Load load;
  if (const char* folder = std::getenv("VARVE_LOAD_DIR")) {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".body") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    for (size_t i = 0; i < paths.size() && load.bodies.size() < kBodies;
         i += std::max<size_t>(1, paths.size() / kBodies)) {
      std::ifstream file(paths[i], std::ios::binary);
      load.bodies.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
  }
  std::mt19937 random(7);
  while (load.bodies.size() < kBodies)
    load.bodies.push_back(testing::Snappy(testing::ProtobufBody(MadeStreams(&random))));
  MemoryBudget budget("bench", 1LL << 32);
  for (const std::string& body : load.bodies) {
    DecodeMemory memory(&budget, DecodeMemory::Mode::kForced);
    ByteBuffer raw;
    DecodedPush decoded;
    VARVE_CHECK(DecodeContent(ContentEncoding::kSnappy, body, 1 << 30, &raw, &memory).ok());
    VARVE_CHECK(DecodeLokiProtobuf(raw.view(), &decoded, &memory).ok());
    load.json.push_back(testing::JsonBody(StreamsOf(decoded)));
    load.line_count += decoded.entries.size();
    for (const LogEntryView& entry : decoded.entries) {
      load.line_bytes += entry.line.size();
      load.lines.emplace_back(entry.line);
    }
  }
  return load;
}

const Load& TheLoad() {
  static const Load kLoad = MakeLoad();
  return kLoad;
}

void Report(benchmark::State& state) {
  const Load& load = TheLoad();
  const auto rounds = static_cast<double>(state.iterations());
  state.SetBytesProcessed(static_cast<int64_t>(rounds * static_cast<double>(load.line_bytes)));
  state.counters["CPU/line"] = benchmark::Counter(rounds * static_cast<double>(load.line_count),
                                                  benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void Push(benchmark::State& state, const std::vector<std::string>& bodies, const char* content_type) {
  RecordingEngine engine({.remember = false});
  WritePath path(&engine, {});
  for (auto _ : state) {
    for (const std::string& body : bodies) {
      PushRequest request;
      request.content_type = content_type;
      request.body = body;
      const PushOutcome outcome = path.Push(request);
      VARVE_CHECK(outcome.status.ok());
    }
  }
  Report(state);
}

void PushProtobuf(benchmark::State& state) { Push(state, TheLoad().bodies, "application/x-protobuf"); }
void PushJson(benchmark::State& state) { Push(state, TheLoad().json, "application/json"); }

void Decompress(benchmark::State& state) {
  MemoryBudget budget("bench", 1LL << 32);
  ByteBuffer raw;
  for (auto _ : state) {
    for (const std::string& body : TheLoad().bodies) {
      DecodeMemory memory(&budget, DecodeMemory::Mode::kForced);
      VARVE_CHECK(DecodeContent(ContentEncoding::kSnappy, body, 1 << 30, &raw, &memory).ok());
      benchmark::DoNotOptimize(raw.data());
    }
  }
  Report(state);
}

void DetectLevels(benchmark::State& state) {
  const IngestLimits limits;
  const LevelDetector detector(limits.log_level_fields, limits.log_level_from_json_max_depth);
  for (auto _ : state) {
    for (const std::string& line : TheLoad().lines) benchmark::DoNotOptimize(detector.FromLine(line));
  }
  Report(state);
}

void FindKeywords(benchmark::State& state) {
  for (auto _ : state) {
    for (const std::string& line : TheLoad().lines) benchmark::DoNotOptimize(FindLevelKeyword(line));
  }
  Report(state);
}

void CheckAscii(benchmark::State& state) {
  for (auto _ : state) {
    for (const std::string& line : TheLoad().lines) benchmark::DoNotOptimize(IsAscii(line));
  }
  Report(state);
}

BENCHMARK(PushProtobuf)->Unit(benchmark::kMillisecond);
BENCHMARK(PushJson)->Unit(benchmark::kMillisecond);
BENCHMARK(Decompress)->Unit(benchmark::kMillisecond);
BENCHMARK(DetectLevels)->Unit(benchmark::kMillisecond);
BENCHMARK(FindKeywords)->Unit(benchmark::kMillisecond);
BENCHMARK(CheckAscii)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace varve

BENCHMARK_MAIN();
