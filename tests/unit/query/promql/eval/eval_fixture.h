// A store in memory with series given as text, and queries over it whose results are text: for tests of the
// evaluator.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "query/promql/eval/query.h"
#include "query/promql/syntax/parser.h"
#include "tests/support/memory_metric_store.h"

namespace varve::promql {

inline std::string NumberText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[64];
  return {text, std::to_chars(text, text + sizeof(text), value).ptr};
}

// Series by series: `{a="b"} 1@0 2@60` with times in seconds; a native histogram is `h<count>`.
inline std::string ResultText(const QueryResult& result) {
  const auto time = [](int64_t ms) { return "@" + NumberText(static_cast<double>(ms) / 1000); };
  if (result.type == ValueType::kScalar) return "scalar " + NumberText(result.scalar.value);
  if (result.type == ValueType::kString) return "string " + result.text;
  std::string out;
  for (const ResultSeries& series : result.series) {
    out += (out.empty() ? "" : "\n") + series.labels.ToString();
    for (const FloatPoint& point : series.floats) out += " " + NumberText(point.value) + time(point.ts_ms);
    for (const HistogramValue& point : series.histograms) {
      out += " h" + NumberText(point.histogram->count()) + time(point.ts_ms);
    }
  }
  return out;
}

class EvalTest : public ::testing::Test, public SampleSource {
 protected:
  static constexpr int64_t kMinute = 60'000;

  // Values a step apart from time 0, blank separated; `_` is no sample, `stale` a stale marker.
  void Load(const std::string& metric, const std::string& values, int64_t step_ms = kMinute) {
    MetricBatch batch;
    std::istringstream in(values);
    int64_t ts_ms = 0;
    for (std::string value; in >> value; ts_ms += step_ms) {
      if (value == "_") continue;
      batch.floats.push_back({ts_ms, value == "stale" ? StaleNan() : std::stod(value)});
    }
    Put(metric, &batch);
  }
  void LoadHistograms(const std::string& metric, const std::vector<HistogramPtr>& histograms) {
    MetricBatch batch;
    int64_t ts_ms = 0;
    for (const HistogramPtr& histogram : histograms) {
      if (histogram != nullptr) batch.histograms.push_back({ts_ms, histogram});
      ts_ms += kMinute;
    }
    Put(metric, &batch);
  }
  static HistogramPtr Counts(std::vector<int64_t> counts) {
    auto histogram = std::make_shared<NativeHistogram>();
    histogram->positive_spans = {{0, static_cast<uint32_t>(counts.size())}};
    int64_t before = 0;
    for (const int64_t count : counts) {
      histogram->positive_deltas.push_back(count - before);
      histogram->count += static_cast<uint64_t>(count);
      before = count;
    }
    histogram->sum = static_cast<double>(histogram->count);
    return histogram;
  }

  Result<QueryResult> Query(const QueryRequest& request) {
    return PromqlEngine(options_).Run(request, {.source = this, .pool = pool_, .budget = budget_});
  }
  // The text of an instant query's result, or `error: …`.
  std::string At(int64_t ms, const std::string& query) {
    return Text(Query({.query = query, .start_ms = ms, .end_ms = ms}));
  }
  std::string Range(int64_t start_ms, int64_t end_ms, int64_t step_ms, const std::string& query) {
    return Text(Query({.query = query, .start_ms = start_ms, .end_ms = end_ms, .step_ms = step_ms}));
  }
  static std::string Text(const Result<QueryResult>& result) {
    return result.ok() ? ResultText(*result) : "error: " + result.status().message();
  }
  std::vector<std::string> Notes(int64_t ms, const std::string& query) {
    const Result<QueryResult> result = Query({.query = query, .start_ms = ms, .end_ms = ms});
    if (!result.ok()) return {result.status().message()};
    std::vector<std::string> notes = result->annotations.Warnings(query, 0);
    for (std::string& info : result->annotations.Infos(query, 0)) notes.push_back(std::move(info));
    return notes;
  }

  Result<std::unique_ptr<const MetricSnapshot>> Select(const std::vector<Matcher>& matchers,
                                                       MetricRange range) const override {
    ++selects_;
    return store_.Snapshot(0, matchers, range);
  }

  PromqlOptions options_;
  ThreadPool* pool_ = nullptr;
  MemoryBudget* budget_ = nullptr;
  mutable int selects_ = 0;

 private:
  void Put(const std::string& metric, MetricBatch* batch) {
    const Result<PackedLabels> labels = ParseMetric(metric);
    ASSERT_TRUE(labels.ok()) << labels.status().message();
    const Result<SeriesOrdinal> series = store_.InternSeries(0, *labels, 0);
    ASSERT_TRUE(series.ok());
    batch->parts.push_back({.series = *series,
                            .float_count = static_cast<uint32_t>(batch->floats.size()),
                            .histogram_count = static_cast<uint32_t>(batch->histograms.size())});
    ASSERT_TRUE(store_.Append(0, *batch, [](const MetricVerdicts&) { return std::string_view(); }).ok());
  }

  MemoryMetricStore store_;
};

}  // namespace varve::promql
