// Pipelines over real lines: selection in bulk, parsers row by row.
//
//   VARVE_BENCH_LINES=../shared/conformance/raw build/bench/pipeline_bench
//
// VARVE_BENCH_LINES is a folder of files of lines, plain or .gz. All of them stand back to back, as in a
// block of many streams; the json and logfmt cases wrap the same lines in fields.
#include <benchmark/benchmark.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "query/logql/parser.h"
#include "query/logql/pipeline.h"

namespace varve::logql {
namespace {

namespace fs = std::filesystem;

std::string ReadText(const fs::path& path) {
  std::string text;
  gzFile file = gzopen(path.c_str(), "rb");  // reads plain files too
  if (file == nullptr) return text;
  char buffer[1 << 16];
  for (int size = 0; (size = gzread(file, buffer, sizeof(buffer))) > 0;)
    text.append(buffer, static_cast<size_t>(size));
  gzclose(file);
  return text;
}

const std::vector<std::string>& Lines() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> lines;
    const char* folder = std::getenv("VARVE_BENCH_LINES");
    std::vector<fs::path> paths;
    std::error_code error;
    for (const auto& entry :
         fs::directory_iterator(folder == nullptr ? "../shared/conformance/raw" : folder, error)) {
      if (entry.path().filename().string().find(".log") != std::string::npos) paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    for (const fs::path& path : paths) {
      const std::string text = ReadText(path);
      for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        if (end > begin) lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
      }
    }
    return lines;
  }();
  return all;
}

std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(static_cast<unsigned char>(c) < ' ' ? ' ' : c);
  }
  return out + "\"";
}

enum class Shape { kPlain, kJson, kLogfmt };

const LogColumns& Columns(Shape shape) {
  static LogColumns shapes[3];
  LogColumns& columns = shapes[static_cast<int>(shape)];
  if (columns.row_count != 0) return columns;
  columns.line_offsets.push_back(0);
  for (size_t i = 0; i < Lines().size(); ++i) {
    std::string line = Lines()[i];
    const std::string number = std::to_string(i * 7919 % 1000);
    const char* level = i % 50 == 0 ? "error" : "info";
    if (shape == Shape::kJson) {
      line = R"({"ts":"2026-11-01T00:18:35.246Z","level":")" + std::string(level) + R"(","user":{"id":)" +
             number +
             R"(,"name":"bob"},"http":{"method":"GET","path":"/api/v1/items","status":200,"latency_ms":)" +
             number + R"(.5},"msg":)" + Quoted(line) + "}";
    } else if (shape == Shape::kLogfmt) {
      line = "ts=2026-11-01T00:18:35.246Z level=" + std::string(level) +
             " caller=handler.go:140 status=200 user=" + number + " duration=" + number +
             "ms msg=" + Quoted(line);
    }
    columns.lines.insert(columns.lines.end(), line.begin(), line.end());
    columns.line_offsets.push_back(static_cast<uint32_t>(columns.lines.size()));
    ++columns.row_count;
  }
  columns.lines.resize(columns.lines.size() + LogColumns::kLinePaddingBytes);
  return columns;
}

std::unique_ptr<const Pipeline> Compile(const std::string& stages, const LabelNeeds& needs) {
  auto expr = ParseExpr("{app=\"q\"} " + stages);
  VARVE_CHECK(expr.ok());
  auto pipeline = Pipeline::Compile(std::get<LogSelector>((*expr)->node).stages, std::nullopt, needs);
  VARVE_CHECK(pipeline.ok());
  return std::move(*pipeline);
}

void Select(benchmark::State& state, const std::string& stages) {
  const LogColumns& columns = Columns(Shape::kPlain);
  const auto pipeline = Compile(stages, {});
  std::vector<uint32_t> rows;
  for (auto _ : state) {
    rows.clear();
    pipeline->SelectLines(columns, 0, columns.row_count, &rows);
    benchmark::DoNotOptimize(rows.data());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * columns.line_offsets.back());
  state.counters["rows"] = static_cast<double>(rows.size());
}

void Process(benchmark::State& state, Shape shape, const std::string& stages, const LabelNeeds& needs = {}) {
  const LogColumns& columns = Columns(shape);
  const auto pipeline = Compile(stages, needs);
  PipelineRunner runner(*pipeline);
  const Labels stream = Labels::FromUnsorted(
      {{"app", "q"}, {"namespace", "prod"}, {"pod", "api-1"}, {"container", "api"}, {"service_name", "q"}});
  runner.SetStream(stream);
  const std::string metadata(
      "\x0e"
      "detected_level"
      "\x04"
      "info");
  uint64_t kept = 0;
  for (auto _ : state) {
    kept = 0;
    for (uint32_t row = 0; row < columns.row_count; ++row) {
      kept += runner.Process(row, columns.Line(row), metadata) ? 1 : 0;
    }
    benchmark::DoNotOptimize(kept);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * columns.row_count);
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * columns.line_offsets.back());
  state.counters["rows"] = static_cast<double>(kept);
}

BENCHMARK_CAPTURE(Select, absent, "|= `no such text here`");
BENCHMARK_CAPTURE(Select, rare, "|= `POSSIBLE BREAK-IN`");
BENCHMARK_CAPTURE(Select, common, "|= `Failed password`");
BENCHMARK_CAPTURE(Select, very_common, "|= `e`");
BENCHMARK_CAPTURE(Select, not_contains, "!= `Failed password`");
BENCHMARK_CAPTURE(Select, two, "|= `INFO` != `block`");
BENCHMARK_CAPTURE(Select, alternatives, "|= `Failed` or `Accepted` or `Invalid user`");
BENCHMARK_CAPTURE(Select, regex_alternation, "|~ `Failed|Accepted|Invalid user`");
BENCHMARK_CAPTURE(Select, regex_ignore_case, "|~ `(?i)error`");
BENCHMARK_CAPTURE(Select, regex_ignore_case_k, "|~ `(?i)packetresponder`");
BENCHMARK_CAPTURE(Select, regex_with_literal, "|~ `authentication failure.*rhost=\\S+`");
BENCHMARK_CAPTURE(Select, regex_without_literal, "|~ `\\d+\\.\\d+\\.\\d+\\.\\d+`");
BENCHMARK_CAPTURE(Select, pattern, "|> `<_>Failed password for <_> from <_>`");
BENCHMARK_CAPTURE(Select, ip, "|= ip(`173.234.0.0/16`)");

BENCHMARK_CAPTURE(Process, json, Shape::kJson, "| json");
BENCHMARK_CAPTURE(Process, json_by_level, Shape::kJson, "| json",
                  LabelNeeds{.all = false, .names = {"level"}});
BENCHMARK_CAPTURE(Process, json_by_last, Shape::kJson, "| json",
                  LabelNeeds{.all = false, .names = {"http_latency_ms"}});
BENCHMARK_CAPTURE(Process, json_expression, Shape::kJson, "| json a=`user.id`, b=`http.status`");
BENCHMARK_CAPTURE(Process, json_filter, Shape::kJson, "| json | level=`error`");
BENCHMARK_CAPTURE(Process, logfmt, Shape::kLogfmt, "| logfmt");
BENCHMARK_CAPTURE(Process, logfmt_by_level, Shape::kLogfmt, "| logfmt",
                  LabelNeeds{.all = false, .names = {"level"}});
BENCHMARK_CAPTURE(Process, logfmt_duration, Shape::kLogfmt, "| logfmt | duration > 900ms");
BENCHMARK_CAPTURE(Process, pattern, Shape::kPlain, "| pattern `<date> <time> <pid> <level> <rest>`");
BENCHMARK_CAPTURE(Process, regexp, Shape::kPlain, "| regexp `(?P<ip>\\d+\\.\\d+\\.\\d+\\.\\d+)`");
BENCHMARK_CAPTURE(Process, line_format, Shape::kLogfmt,
                  "| logfmt | line_format `{{.level}} {{.user}} {{.msg}}`");

}  // namespace
}  // namespace varve::logql

BENCHMARK_MAIN();
