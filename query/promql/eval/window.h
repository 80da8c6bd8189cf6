// Range functions: the window of each step cut out of a series' samples, which are read once.
//
// Threads: as Evaluator and SeriesProducer.
#pragma once

#include <memory>
#include <optional>

#include "query/promql/eval/evaluator.h"
#include "query/promql/functions/range_functions.h"

namespace varve::promql {

// The samples that windows are cut from: a selector's, or the points of a subquery.
class RangeSource {
 public:
  virtual ~RangeSource() = default;
  virtual size_t size() const = 0;
  virtual const PackedLabels& labels(size_t series) const = 0;
  virtual bool drop_name(size_t series) const = 0;
  virtual size_t levels() const = 0;
  // Puts floats (and their starts) into buffers->samples, histograms into buffers->histograms; stale markers are
  // left out. Thread-safe.
  virtual Status Load(size_t series, ProduceTask* task, ProduceTask::Buffers* buffers) = 0;
};

// Where the windows of a range expression lie: (end - range, end], end = at or step, less the offset.
struct WindowSpec {
  StepGrid grid;
  std::optional<int64_t> at_ms;
  int64_t offset_ms = 0;
  int64_t range_ms = 0;
  bool anchored = false;
  bool smoothed = false;
  int64_t lookback_ms = 0;

  int64_t EndMs(int64_t step_ms) const { return at_ms.value_or(step_ms) - offset_ms; }
  // How much further than the range the samples reach.
  int64_t before_ms() const { return anchored || smoothed ? lookback_ms : 0; }
  int64_t after_ms() const { return smoothed ? lookback_ms : 0; }
};

struct RangeInput {
  std::unique_ptr<RangeSource> source;
  WindowSpec spec;
};

// `expr` is a matrix selector or a subquery.
Result<RangeInput> OpenRange(Evaluator* eval, const Expr& expr, const EvalScope& scope);

// `call` has a range argument; `function` is what it calls.
Result<ProducerPtr> EvalRangeFunction(Evaluator* eval, const Call& call, const RangeFunction& function,
                                      const EvalScope& scope);
// At which steps any series of the call's only argument, a range, has a sample: one series with value 1 there, or
// none at all.
Result<ChargedMatrix> EvalPresence(Evaluator* eval, const Call& call, const EvalScope& scope);

}  // namespace varve::promql
