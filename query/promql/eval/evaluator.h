// Evaluates a prepared tree: each expression for all steps of a grid.
//
// Vector() gives a producer of series, Scalar() a number a step. One Evaluator serves one run of one query; what it
// needs of the tree beside the tree itself (what is step invariant) is in its Plan.
// Threads: one, which lends work to the pool; producers are thread-safe as they say.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/metric_scan.h"
#include "query/promql/eval/prepare.h"
#include "query/promql/eval/producer.h"
#include "query/promql/eval/query.h"
#include "query/promql/eval/sample_tracker.h"

namespace varve::promql {

// Where and into what an expression is evaluated.
struct EvalScope {
  StepGrid grid;
  SampleStats* stats = nullptr;
  // One step: results keep the engine's order.
  bool is_instant() const { return grid.start_ms == grid.end_ms; }
  // The inside of a subquery may have no step at all.
  bool is_empty() const { return grid.end_ms < grid.start_ms; }
};

// What series of the same labels mean in a result whose labels have lost the name.
enum class SameLabels {
  kRefuseSeries,  // an error even if they never meet at one step
  kRefuseStep,    // an error where they meet at one step; one series otherwise
};

using ColumnFn = std::function<Status(size_t series, StepColumn* column)>;

class Evaluator {
 public:
  // All must outlive it; request.lookback_ms is set.
  Evaluator(const PromqlOptions& options, const QueryRequest& request, const QueryContext& context, const Plan& plan);

  Result<ProducerPtr> Vector(const Expr& expr, const EvalScope& scope);
  Result<std::vector<double>> Scalar(const Expr& expr, const EvalScope& scope);
  // All of a vector, series without points left out.
  Result<ChargedMatrix> Matrix(const Expr& expr, const EvalScope& scope);
  Result<ChargedMatrix> Materialize(ProducerPtr producer, const EvalScope& scope);
  // Produces all series, several at once, and hands them to `consume` one after the other, in order, on this thread.
  Status ForEachColumn(SeriesProducer* producer, const EvalScope& scope, const ColumnFn& consume);

  // `matrix` with series of the same labels made one, or the error that they are. Keeps the order.
  Result<ProducerPtr> RequireUnique(ProducerPtr producer, const EvalScope& scope, SameLabels rule);
  // A result that is all there: charged, series without points dropped, labels unique (unless delayed_names()).
  Result<ProducerPtr> FromMatrix(StepMatrix matrix, const EvalScope& scope, SameLabels rule);

  // The series a selector takes in a range of time. Asked for again, it is the same snapshot.
  Result<std::shared_ptr<const MetricSnapshot>> Select(const std::vector<Matcher>& matchers, MetricRange range);

  // kDeadlineExceeded or kCancelled, in Prometheus's words.
  Status CheckAlive() const;
  // More steps than samples_max allows, or than there is memory for one column.
  Status CheckSteps(const StepGrid& grid) const;

  // How many threads produce at once.
  size_t Workers() const;
  const PromqlOptions& options() const { return options_; }
  const QueryRequest& request() const { return request_; }
  const QueryContext& context() const { return context_; }
  int64_t lookback_ms() const { return request_.lookback_ms; }
  bool stats_only(const VectorSelector& selector) const { return plan_.stats_only.contains(&selector); }
  bool delayed_names() const { return options_.delayed_name_removal; }
  SampleTracker* tracker() { return &tracker_; }
  Annotations* notes() { return &notes_; }

 private:
  Result<ProducerPtr> VectorOnce(const Expr& expr, const EvalScope& scope);
  Result<std::vector<double>> ScalarOnce(const Expr& expr, const EvalScope& scope);
  Status ProduceChunk(SeriesProducer* producer, const EvalScope& scope, size_t begin, size_t count,
                      std::vector<std::unique_ptr<ProduceTask>>* tasks, std::vector<StepColumn>* columns);

  const PromqlOptions& options_;
  const QueryRequest& request_;
  const QueryContext& context_;
  const Plan& plan_;
  MemoryBudget unlimited_{"unlimited", INT64_MAX};
  SampleTracker tracker_;
  Charge scalars_{&tracker_};  // for every scalar's values; given back at the end
  Annotations notes_;
  std::chrono::steady_clock::time_point deadline_;
  std::map<std::string, std::shared_ptr<const MetricSnapshot>> snapshots_;
};

// The error of two elements with one label set.
Status SameLabelsetError();

}  // namespace varve::promql
