// Encoding and decoding log blocks of real lines.
//
//   VARVE_BENCH_LINES=../shared/conformance/raw build/bench/log_block_bench
//
// VARVE_BENCH_LINES is a file, or a folder of files, of lines; plain or .gz. Each file is one stream whose
// lines repeat, with half of their digits redrawn, until it fills two blocks.
#include <benchmark/benchmark.h>
#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/codec/log_block.h"
#include "engine/codec/log_block_builder.h"
#include "engine/model/log_entry.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBlockBytes = 1 << 20;

std::string ReadText(const fs::path& path) {
  std::string text;
  gzFile file = gzopen(path.c_str(), "rb");  // reads plain files too
  if (file == nullptr) return text;
  char buffer[1 << 16];
  for (int size = 0; (size = gzread(file, buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<size_t>(size));
  }
  gzclose(file);
  return text;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

uint64_t NextRandom(uint64_t* state) {
  *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
  return *state >> 33;
}

// So that a line which comes again is not the same line.
std::string RedrawDigits(std::string line, uint64_t* random) {
  for (char& c : line) {
    if (c < '0' || c > '9' || NextRandom(random) % 2 == 0) continue;
    c = static_cast<char>('0' + NextRandom(random) % 10);
  }
  return line;
}

// Rows of one block each, as a pack writer gathers them.
struct Corpus {
  std::vector<LogBlockBuilder> blocks;
  std::vector<std::string> encoded;
  uint64_t rows = 0;
  uint64_t line_bytes = 0;
  uint64_t encoded_bytes = 0;

  void AddStream(const std::vector<std::string>& lines) {
    const char* levels[] = {"info", "info", "info", "warn", "error"};
    uint64_t random = 42;
    int64_t ts_ns = 1'793'491'200'000'000'000;
    size_t i = 0;
    for (int b = 0; b < 2; ++b) {
      LogBlockBuilder builder;
      builder.StartStream(7);
      while (builder.line_bytes() < kBlockBytes) {
        ts_ns += static_cast<int64_t>(NextRandom(&random) % 16'000'000);  // irregular, some ms apart
        std::vector<MetadataPair> pairs = {{"detected_level", levels[NextRandom(&random) % 5]}};
        std::string metadata;
        EncodeMetadata(&pairs, &metadata);
        if (!builder.Add(ts_ns, RedrawDigits(lines[i++ % lines.size()], &random), metadata).ok()) {
          std::abort();
        }
      }
      rows += builder.row_count();
      line_bytes += builder.line_bytes();
      encoded.emplace_back();
      if (!builder.Encode(&encoded.back()).ok()) std::abort();
      encoded_bytes += encoded.back().size();
      blocks.push_back(std::move(builder));
    }
  }
};

Corpus& TheCorpus() {
  static Corpus* const corpus = [] {
    static Corpus made;
    const char* path = std::getenv("VARVE_BENCH_LINES");
    std::vector<fs::path> files;
    if (path != nullptr && fs::is_directory(path)) {
      for (const auto& entry : fs::recursive_directory_iterator(path)) {
        if (entry.path().string().find(".log") != std::string::npos) files.push_back(entry.path());
      }
    } else if (path != nullptr) {
      files.emplace_back(path);
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      const auto lines = Lines(ReadText(file));
      if (!lines.empty()) made.AddStream(lines);
    }
    if (made.blocks.empty()) {
      std::fprintf(stderr, "set VARVE_BENCH_LINES to a file or folder of log lines\n");
      std::exit(1);
    }
    return &made;
  }();
  return *corpus;
}

void Report(benchmark::State& state, const Corpus& corpus) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * corpus.line_bytes));
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * corpus.rows));
  state.counters["B/line"] = static_cast<double>(corpus.encoded_bytes) / static_cast<double>(corpus.rows);
  state.counters["ratio"] =
      static_cast<double>(corpus.line_bytes) / static_cast<double>(corpus.encoded_bytes);
}

void BM_Encode(benchmark::State& state) {
  Corpus& corpus = TheCorpus();
  std::string out;
  for (auto _ : state) {
    for (LogBlockBuilder& block : corpus.blocks) {
      out.clear();
      if (!block.Encode(&out).ok()) std::abort();
      benchmark::DoNotOptimize(out.data());
    }
  }
  Report(state, corpus);
}
BENCHMARK(BM_Encode)->Unit(benchmark::kMillisecond);

void BM_Decode(benchmark::State& state) {
  const Corpus& corpus = TheCorpus();
  const auto want = static_cast<ColumnMask>(state.range(0));
  for (auto _ : state) {
    for (const std::string& block : corpus.encoded) {
      LogColumns columns;
      if (!DecodeLogBlock(block, want, &columns).ok()) std::abort();
      benchmark::DoNotOptimize(columns.row_count);
    }
  }
  Report(state, corpus);
}
BENCHMARK(BM_Decode)
    ->ArgName("columns")
    ->Arg(kTimestamps)
    ->Arg(kLengths)
    ->Arg(kMetadata)
    ->Arg(kTimestamps | kLines)
    ->Arg(kTimestamps | kLines | kMetadata)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace varve

BENCHMARK_MAIN();
