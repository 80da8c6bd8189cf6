// What every part of a running query shares: the engine, the limits, the byte budget, the reasons to stop
// and the statistics.
//
// Threads: thread-safe. Ownership: lives on RunQuery's stack, outlives all of the query's tasks.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/base/cancel.h"
#include "engine/base/memory_budget.h"
#include "engine/base/mutex.h"
#include "query/exec/query.h"

namespace varve {

class QueryContext {
 public:
  QueryContext(Engine& engine, const QueryRequest& request, const QueryLimits& limits);

  Engine& engine() { return engine_; }
  const QueryRequest& request() const { return request_; }
  const QueryLimits& limits() const { return limits_; }
  MemoryBudget* budget() { return &budget_; }

  // Poll once per source and every few thousand rows: has the client gone, has the deadline passed?
  Status CheckAlive() const;
  // As CheckAlive; also stops once a task of lower rank has failed. Ranks are handed out in ascending order,
  // so tasks that could still report a lower error run on, and which error a query ends with does not depend
  // on which thread was faster.
  Status CheckAlive(uint64_t rank) const;
  // The error of the lowest `rank` is the query's.
  void Fail(uint64_t rank, Status status) VARVE_EXCLUDES(mu_);
  // The query's error so far.
  Status TakeFailure() VARVE_EXCLUDES(mu_);

  // Whether an error may be that of a part of the query only (cached_evaluation.h). For the query's own
  // thread.
  bool evaluated_in_parts() const { return evaluated_in_parts_; }
  void set_evaluated_in_parts(bool in_parts) { evaluated_in_parts_ = in_parts; }

  void AddStats(const QueryStats& delta) VARVE_EXCLUDES(mu_);
  QueryStats stats() const VARVE_EXCLUDES(mu_);

 private:
  Engine& engine_;
  const QueryRequest& request_;
  const QueryLimits& limits_;
  MemoryBudget budget_;
  const CancelToken deadline_;
  bool evaluated_in_parts_ = false;
  // Written under mu_, read relaxed: it only makes others stop early.
  std::atomic<uint64_t> failed_rank_{~uint64_t{0}};
  mutable Mutex mu_;
  Status failure_ VARVE_GUARDED_BY(mu_);
  QueryStats stats_ VARVE_GUARDED_BY(mu_);
};

}  // namespace varve
