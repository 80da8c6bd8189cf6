// Instant vector selectors: the newest sample of each series at every step, no older than the lookback.
//
// Threads: as Evaluator and SeriesProducer.
#pragma once

#include <optional>

#include "query/promql/eval/evaluator.h"

namespace varve::promql {

// What an instant selector gives as a float's value.
enum class InstantValue {
  kSample,
  kTimestamp,       // the sample's own time in seconds, of histograms too; the name goes
  kStartTimestamp,  // likewise its start timestamp, 0 where it has none
  kTimestampMs,     // the float's time in milliseconds; the name stays
};

Result<ProducerPtr> EvalSelector(Evaluator* eval, const VectorSelector& selector, const EvalScope& scope);
// timestamp() and start_timestamp() of a plain selector.
Result<ProducerPtr> EvalSelectorTimes(Evaluator* eval, const VectorSelector& selector, InstantValue value,
                                      const EvalScope& scope);
// As SelectInstantFn.
Result<StepMatrix> SelectInstant(Evaluator* eval, const std::vector<Matcher>& matchers, std::optional<int64_t> at_ms,
                                 int64_t offset_ms, bool own_times, const EvalScope& scope);

// Where in time a selector or subquery looks at a step: at `at_ms`, or at the step's time, less the offset.
inline int64_t ReferenceMs(const TimeShift& shift, int64_t step_ms) {
  return shift.at_ms.value_or(step_ms) - shift.offset_ms;
}

// Takes stale markers out of the floats, and turns the histograms that are none into float histograms, with
// `stats_only` of count and sum.
void DropStale(ProduceTask::Buffers* buffers, bool stats_only);

}  // namespace varve::promql
