// Live tails: brings what is appended to the clients that follow it.
//
//   push ─► OnAppend: copies what somebody may want into a batch ─► queue ─► worker ─► TailSession::Offer
//           (never waits; what finds no room is dropped)                      │
//                          which groups want the stream (remembered by ordinal) ─► pipeline ─► frames
//
// Clients with the same tenant, query, delay and form are one *group*: its pipeline runs once over an entry
// and its frames are shared. A push looks at one number a stream to learn that nobody wants it. Bounded:
// everything here counts against one budget (`memory_bytes`). When it is full, first the backlogs of clients
// that do not read are dropped, then such clients are cut; pushes never wait, they lose tail entries. An
// entry that is pushed again soon (a client's retry) is shown once. Threads: thread-safe; one worker thread
// of its own. Ownership: the engine must outlive this. Sessions must be gone, and appends have ended, before
// it is destroyed.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/memory_budget.h"
#include "engine/base/status.h"
#include "engine/base/thread_pool.h"
#include "engine/engine.h"
#include "http/tail_frame.h"
#include "http/tail_options.h"
#include "http/tail_session.h"
#include "query/logql/ast.h"

namespace varve {

// Relaxed counters: they publish nothing.
struct TailCounters {
  std::atomic<uint64_t> opened{0};
  std::atomic<uint64_t> refused{0};  // by limits.max_concurrent_tail_requests
  std::atomic<uint64_t> entries_sent{0};
  std::atomic<uint64_t> entries_dropped{0};
  std::atomic<uint64_t> slow_clients_closed{0};
  std::atomic<int64_t> open{0};
};

struct TailRequest {
  std::string tenant;
  const logql::Expr* expr = nullptr;  // a log query; only needed during the call
  TailForm form = TailForm::kMerged;
  int64_t delay_ms = 0;
  std::string flags_json;
};

class TailHub {
 public:
  TailHub(Engine* engine, TailOptions options);
  ~TailHub();
  TailHub(const TailHub&) = delete;
  TailHub& operator=(const TailHub&) = delete;

  // A session that from now on gets what is appended; it holds it back until GoLive. kInvalidArgument: a
  // metric query, a stage that does not compile, or `concurrent_max` (0: no limit) of the tenant are open.
  Result<std::shared_ptr<TailSession>> Join(const TailRequest& request, uint32_t concurrent_max);

  // Returns when what was appended before has been offered, delays aside. For tests.
  void WaitUntilIdle();

  MemoryBudget* budget() const;
  const TailCounters& counters() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
  std::unique_ptr<ThreadPool> worker_;
};

}  // namespace varve
