// Data in a MemoryEngine, queries as text, answers as text: one line a series or stream.
//
// Times are in seconds. Series: `{a="b"} 0=1 60=2.5`; entries: `{a="b"} 0:line 1:other`, with
// `[metadata|parsed]` behind a line that has any.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/model/log_entry.h"
#include "query/exec/query.h"
#include "query/logql/parser.h"
#include "tests/support/memory_engine.h"
#include "tests/support/load_recorder.h"

namespace varve::testing {

class QueryFixture : public ::testing::Test {
 protected:
  static constexpr int64_t kSecond = kNsPerSecond;

  QueryFixture() = default;
  explicit QueryFixture(MemoryEngineOptions options) : engine_(std::move(options)) {}

  void Add(const std::vector<Label>& stream, int64_t second, std::string_view line,
           std::vector<MetadataPair> metadata = {}) {
    AddNs(stream, second * kSecond, line, std::move(metadata));
  }
  void AddNs(const std::vector<Label>& stream, int64_t ts_ns, std::string_view line,
             std::vector<MetadataPair> metadata = {}) {
    std::string encoded;
    EncodeMetadata(&metadata, &encoded);
    engine_.Add(Labels::FromUnsorted(stream), ts_ns, line, encoded);
  }

  Result<QueryResult> Run(const std::string& text) {
    VARVE_ASSIGN_OR_RETURN(const auto expr, logql::ParseExpr(text));
    auto result = RunQuery(recording_, *expr, request_, limits_);
    EXPECT_EQ(engine_.query_budget()->used_bytes(), 0) << text;
    return result;
  }

  std::string Log(const std::string& text, int64_t start, int64_t end) {
    request_.instant = false;
    request_.start_ns = start * kSecond;
    request_.end_ns = end * kSecond;
    return Answer(text);
  }
  std::string Instant(const std::string& text, int64_t time) {
    request_.instant = true;
    request_.start_ns = request_.end_ns = time * kSecond;
    return Answer(text);
  }
  std::string Range(const std::string& text, int64_t start, int64_t end, int64_t step) {
    request_.instant = false;
    request_.start_ns = start * kSecond;
    request_.end_ns = end * kSecond;
    request_.step_ns = step * kSecond;
    return Answer(text);
  }

  std::string Answer(const std::string& text) {
    auto result = Run(text);
    if (!result.ok()) return std::string(CodeName(result.status().code())) + ": " + result.status().message();
    stats_ = result->stats;
    return std::visit([](const auto& data) { return Text(data); }, result->data);
  }

  static std::string Text(const LabelPairs& labels) {
    std::string text;
    for (const auto& [name, value] : labels) text += (text.empty() ? "" : ", ") + name + "=\"" + value + "\"";
    return text;
  }
  static std::string Number(double value) {
    char text[64];
    std::snprintf(text, sizeof(text), "%.10g", value);
    return text;
  }
  static std::string Text(const Streams& streams) {
    std::string text;
    for (const ResultStream& stream : streams.streams) {
      text += (text.empty() ? "{" : "\n{") + Text(stream.labels) + "}";
      for (const ResultEntry& entry : stream.entries) {
        text += " " + Number(static_cast<double>(entry.ts_ns) / 1e9) + ":" + entry.line;
        if (!entry.metadata.empty() || !entry.parsed.empty()) {
          text += "[" + Text(entry.metadata) + "|" + Text(entry.parsed) + "]";
        }
      }
    }
    return text;
  }
  static std::string Text(const std::vector<ResultSeries>& list) {
    std::string text;
    for (const ResultSeries& series : list) {
      text += (text.empty() ? "{" : "\n{") + Text(series.labels) + "}";
      for (const Point& point : series.points) {
        text += " " + Number(static_cast<double>(point.t_ms) / 1e3) + "=" + Number(point.value);
      }
    }
    return text;
  }
  static std::string Text(const MatrixResult& matrix) { return Text(matrix.series); }
  static std::string Text(const VectorResult& vector) { return Text(vector.series); }
  static std::string Text(const ScalarResult& scalar) {
    return Number(static_cast<double>(scalar.t_ms) / 1e3) + "=" + Number(scalar.value);
  }

  MemoryEngine engine_;
  LoadRecorder recording_{&engine_};
  QueryRequest request_;
  QueryLimits limits_;
  QueryStats stats_;
};

}  // namespace varve::testing
