// PromQL's front door: text, time and a store in; a value with its annotations out.
//
//   PromqlEngine engine(&source, options);
//   Result<QueryResult> result = engine.Run({.query = "up", .start_ms = t, .end_ms = t}, limits…);
//
// Threads: PromqlEngine is thread-safe; one Run uses the pool for its own parts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/memory_budget.h"
#include "engine/base/status.h"
#include "engine/base/thread_pool.h"
#include "engine/metric_scan.h"
#include "engine/model/matcher.h"
#include "query/promql/values/annotations.h"
#include "query/promql/syntax/ast.h"
#include "query/promql/values/step_column.h"

namespace varve::promql {

// Where samples come from: one tenant of the metric store, or a test's own.
class SampleSource {
 public:
  virtual ~SampleSource() = default;
  virtual Result<std::unique_ptr<const MetricSnapshot>> Select(const std::vector<Matcher>& matchers,
                                                               MetricRange range) const = 0;
};

// Evaluates logql("…"): each LogQL step's vector at the times of `grid`. Labels have no metric name.
class LogqlSource {
 public:
  virtual ~LogqlSource() = default;
  // kInvalidArgument: not a LogQL metric query; called when a query is parsed.
  virtual Status Check(std::string_view query) const = 0;
  virtual Result<StepMatrix> Evaluate(std::string_view query, const StepGrid& grid, const CancelToken& cancel,
                                      MemoryBudget* budget) const = 0;
};

// Each is a limit or setting with a key under `promql:` (docs/operations.md).
struct PromqlOptions {
  int64_t lookback_ms = 5 * 60 * 1000;
  int64_t default_step_ms = 60 * 1000;  // of subqueries: global.evaluation_interval
  uint64_t samples_max = 50'000'000;    // in memory at once
  uint64_t points_max = 11'000;         // a series
  int64_t timeout_ms = 2 * 60 * 1000;
  bool delayed_name_removal = false;
  bool use_start_timestamps = false;
  bool type_and_unit_labels = false;
};

struct QueryRequest {
  std::string query;
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  int64_t step_ms = 0;      // 0: an instant query at start_ms = end_ms
  int64_t lookback_ms = 0;  // 0: the option's
  bool per_step_stats = false;
};

struct FloatPoint {
  int64_t ts_ms = 0;
  double value = 0;
};
struct HistogramValue {
  int64_t ts_ms = 0;
  FloatHistogramPtr histogram;
};

struct ResultSeries {
  PackedLabels labels;
  std::vector<FloatPoint> floats;  // at most one point of either kind in a vector
  std::vector<HistogramValue> histograms;
};

struct QueryStats {
  uint64_t total_queryable_samples = 0;
  uint64_t peak_samples = 0;
  std::vector<std::pair<int64_t, int64_t>> queryable_samples_per_step;  // (ms, samples), when asked for
  double prepare_seconds = 0;
  double eval_seconds = 0;
  double sort_seconds = 0;
};

struct QueryResult {
  ValueType type = ValueType::kNone;
  FloatPoint scalar;                 // kScalar
  std::string text;                  // kString
  int64_t text_ts_ms = 0;
  std::vector<ResultSeries> series;  // kVector in the engine's order (4.13), kMatrix ascending by labels
  Annotations annotations;
  QueryStats stats;
};

// What a run may use beside the engine's own options.
struct QueryContext {
  const SampleSource* source = nullptr;
  const LogqlSource* logql = nullptr;  // null: logql() is an error
  ThreadPool* pool = nullptr;          // null: everything on the caller's thread
  MemoryBudget* budget = nullptr;      // the query's own; null: unlimited
  const CancelToken* cancel = nullptr;
};

class PromqlEngine {
 public:
  explicit PromqlEngine(PromqlOptions options) : options_(options) {}
  // kInvalidArgument: the query (bad_data). kExecution: it failed (too many samples, too much memory, many-to-many
  // matching…). kDeadlineExceeded, kCancelled. Annotations go with a result only.
  Result<QueryResult> Run(const QueryRequest& request, const QueryContext& context) const;
  const PromqlOptions& options() const { return options_; }

 private:
  const PromqlOptions options_;
};

}  // namespace varve::promql
