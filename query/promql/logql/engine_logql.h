// Answers logql("…") in PromQL from the LogQL engine: one tenant's logs, under that tenant's LogQL limits.
//
// A range of PromQL steps is one LogQL range query with the same start, end and step; an instant is an instant query.
// Threads: thread-safe.
#pragma once

#include <string_view>

#include "engine/engine.h"
#include "query/exec/query.h"
#include "query/promql/eval/query.h"

namespace varve::promql {

class EngineLogqlSource final : public LogqlSource {
 public:
  // The engine outlives this. `cache` (may be null) keeps parts of range answers, as for LogQL's own API.
  EngineLogqlSource(Engine* engine, TenantId tenant, QueryLimits limits, ResultCache* cache)
      : engine_(engine), tenant_(tenant), limits_(std::move(limits)), cache_(cache) {}

  Status Check(std::string_view query) const override;
  // Errors are LogQL's own, with the LogQL text in front. Memory: the tighter of LogQL's limit and what `budget` (may
  // be null) has left.
  Result<StepMatrix> Evaluate(std::string_view query, const StepGrid& grid, const CancelToken& cancel,
                              MemoryBudget* budget) const override;

 private:
  Engine* const engine_;
  const TenantId tenant_;
  const QueryLimits limits_;
  ResultCache* const cache_;
};

}  // namespace varve::promql
