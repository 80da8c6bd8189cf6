// The clients that want the same: one tenant, query, delay and form. Runs the query's pipeline over what
// comes in and makes the frames that all of them share.
//
// With a delay, an entry waits until it has been here that long; what has an earlier time and came meanwhile
// goes out before it, so that slow senders are sorted in. Threads: `members` is guarded by the hub; all else
// belongs to the hub's worker.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/memory_budget.h"
#include "engine/model/labels.h"
#include "engine/model/matcher.h"
#include "http/tail_batch.h"
#include "http/tail_frame.h"
#include "query/logql/ast.h"
#include "query/logql/pipeline.h"

namespace varve {

class TailGroup {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;
  // Everything that is ready, cut into frames; entries that found no room.
  struct Ready {
    std::vector<std::shared_ptr<const TailFrame>> frames;
    std::vector<TailEntry> dropped;
  };

  // kInvalidArgument: a stage does not compile.
  static Result<std::shared_ptr<TailGroup>> Make(uint64_t number, std::string tenant,
                                                 const logql::LogSelector& selector, TailForm form,
                                                 std::chrono::milliseconds delay, MemoryBudget* budget);

  TailGroup(uint64_t number, std::string tenant, std::vector<Matcher> matchers,
            std::unique_ptr<const logql::Pipeline> pipeline, TailForm form, std::chrono::milliseconds delay,
            MemoryBudget* budget);
  ~TailGroup();

  bool Matches(const Labels& stream) const { return MatchesAll(matchers_, stream); }
  // Runs the pipeline over the part's rows, except those marked in `repeated`. `identities`, `repeated` and
  // `arrival` begin with the part's first row.
  void Process(const TailBatch& batch, const TailBatch::Part& part, const Labels& stream,
               const std::vector<uint64_t>& identities, const std::vector<bool>& repeated, uint64_t arrival,
               SteadyTime now);
  // What may go out by now, in order of time.
  Ready TakeReady(SteadyTime now);
  // When TakeReady will have more; max() when nothing waits.
  SteadyTime NextReady() const;
  // What a stream of the group is called in its form, for entries that were never processed.
  std::shared_ptr<const std::string> StreamName(const Labels& stream) const;

  const uint64_t number;  // ascending in order of creation
  const std::string tenant;
  const TailForm form;

 private:
  struct Waiting {
    TailEntry entry;
    int64_t bytes = 0;
  };

  void Add(TailEntry entry, SteadyTime now);

  const std::vector<Matcher> matchers_;
  const std::unique_ptr<const logql::Pipeline> pipeline_;
  const std::chrono::milliseconds delay_;
  MemoryBudget* const budget_;
  logql::PipelineRunner runner_;
  TailEncoder encoder_;
  std::vector<uint32_t> selection_;
  std::vector<Waiting> waiting_;                         // in order of arrival
  std::deque<std::pair<SteadyTime, int64_t>> arrivals_;  // with the entry's time
  std::vector<TailEntry> dropped_;
};

}  // namespace varve
