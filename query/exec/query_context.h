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

  // Poll once per source and every few thousand rows: the client, the deadline, and Fail.
  Status CheckAlive() const;
  // Makes the other tasks stop. The error of the lowest `rank` (a source's number) is the query's.
  void Fail(uint64_t rank, Status status) VARVE_EXCLUDES(mu_);
  // The query's error so far.
  Status TakeFailure() VARVE_EXCLUDES(mu_);

  void AddStats(const QueryStats& delta) VARVE_EXCLUDES(mu_);
  QueryStats stats() const VARVE_EXCLUDES(mu_);

 private:
  Engine& engine_;
  const QueryRequest& request_;
  const QueryLimits& limits_;
  MemoryBudget budget_;
  const CancelToken deadline_;
  // Set once a task has failed, read relaxed: it only makes others stop early.
  std::atomic<bool> failed_{false};
  mutable Mutex mu_;
  Status failure_ VARVE_GUARDED_BY(mu_);
  uint64_t failure_rank_ VARVE_GUARDED_BY(mu_) = 0;
  QueryStats stats_ VARVE_GUARDED_BY(mu_);
};

}  // namespace varve
