#include "query/exec/log_query.h"

#include <algorithm>
#include <atomic>
#include <optional>

#include "query/exec/found_entry.h"
#include "query/exec/log_page.h"
#include "query/exec/log_scan.h"
#include "query/exec/ordered_rows.h"
#include "query/exec/query_plan.h"

namespace varve {
namespace {

constexpr uint32_t kRowsBetweenChecks = 1024;

// The best entries so far, of all tasks.
class BestEntries {
 public:
  BestEntries(QueryContext& query, uint32_t limit)
      : direction_(query.request().direction), limit_(limit), reservation_(query.budget()) {}

  // Adds one source's entries, in order, at most `limit` of them.
  Status Merge(std::vector<FoundEntry> more) VARVE_EXCLUDES(mu_) {
    MutexLock lock(mu_);
    for (const FoundEntry& candidate : more) bytes_ += candidate.MemoryBytes();
    if (bytes_ > reservation_.bytes()) VARVE_RETURN_IF_ERROR(reservation_.Add(bytes_ - reservation_.bytes()));
    const auto before = [this](const FoundEntry& a, const FoundEntry& b) {
      return ComesBefore(direction_, a.position, b.position);
    };
    std::vector<FoundEntry> merged;
    merged.reserve(best_.size() + more.size());
    std::merge(std::make_move_iterator(best_.begin()), std::make_move_iterator(best_.end()),
               std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()),
               std::back_inserter(merged), before);
    for (size_t i = limit_; i < merged.size(); ++i) bytes_ -= merged[i].MemoryBytes();
    if (merged.size() > limit_) merged.resize(limit_);
    best_ = std::move(merged);
    if (best_.size() == limit_) {
      bound_ns_.store(best_.back().position.ts_ns, std::memory_order_relaxed);
      full_.store(true, std::memory_order_release);
    }
    return Status::Ok();
  }

  // `range` without the times at which no row can be among the best any more.
  TimeRange Worthwhile(TimeRange range) const {
    if (!full_.load(std::memory_order_acquire)) return range;
    const int64_t bound_ns = bound_ns_.load(std::memory_order_relaxed);
    if (direction_ == Direction::kForward) {
      range.end_ns = std::min(range.end_ns, bound_ns + 1);  // bound_ns < range.end_ns
    } else {
      range.begin_ns = std::max(range.begin_ns, bound_ns);
    }
    return range;
  }

  std::vector<FoundEntry> Take() VARVE_EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return std::move(best_);
  }

 private:
  const Direction direction_;
  const uint32_t limit_;
  Mutex mu_;
  MemoryReservation reservation_ VARVE_GUARDED_BY(mu_);
  int64_t bytes_ VARVE_GUARDED_BY(mu_) = 0;
  std::vector<FoundEntry> best_ VARVE_GUARDED_BY(mu_);
  // Written under mu_, read without: the bound only ever tightens, and a stale one only costs work.
  std::atomic<int64_t> bound_ns_{0};
  std::atomic<bool> full_{false};
};

class LogQueryRun {
 public:
  LogQueryRun(QueryContext& query, const LogScan& scan, const StreamOrder& stream_order, const LogPage& page,
              uint32_t limit)
      : query_(query),
        scan_(scan),
        direction_(query.request().direction),
        limit_(limit),
        stream_order_(stream_order),
        page_(page),
        best_(query, limit) {
    for (const LogScan::SourceSlices& source : scan.sources()) order_.push_back(&source);
    std::stable_sort(order_.begin(), order_.end(), [this](const auto* a, const auto* b) {
      return direction_ == Direction::kForward ? a->min_ts_ns < b->min_ts_ns : a->max_ts_ns > b->max_ts_ns;
    });
  }

  Result<std::vector<FoundEntry>> Run() {
    if (query_.request().interval_ns > 0) {
      VARVE_RETURN_IF_ERROR(MergeWithInterval());
    } else {
      query_.engine().query_pool()->ParallelFor(order_.size(), [this](size_t i) {
        Status status = VisitSource(i);
        if (!status.ok()) query_.Fail(i, std::move(status));
      });
      VARVE_RETURN_IF_ERROR(query_.TakeFailure());
    }
    return best_.Take();
  }

 private:
  // The source of this place in order_, which is also the task's rank.
  Status VisitSource(size_t place) {
    VARVE_RETURN_IF_ERROR(query_.CheckAlive(place));
    const LogScan::SourceSlices& source = *order_[place];
    const TimeRange range = best_.Worthwhile(scan_.range());
    if (!range.OverlapsSpan(source.min_ts_ns, source.max_ts_ns)) return Status::Ok();
    VARVE_ASSIGN_OR_RETURN(const auto rows,
                           OrderedRows::Open(scan_, stream_order_, source, range, direction_));
    FoundEntries found(query_.budget());
    for (uint32_t seen = 0; !rows->AtEnd() && found.size() < limit_; rows->Next()) {
      if (++seen % kRowsBetweenChecks == 0) {
        VARVE_RETURN_IF_ERROR(query_.CheckAlive(place));
        if (!best_.Worthwhile(range).Contains(rows->position().ts_ns)) break;
      }
      if (!page_.Wants(rows->position(), rows->stream())) continue;
      VARVE_ASSIGN_OR_RETURN(const bool passed, rows->Process());
      if (passed) VARVE_RETURN_IF_ERROR(found.Add(TakeEntry(scan_, *rows)));
    }
    query_.AddStats(rows->stats());
    return found.empty() ? Status::Ok() : best_.Merge(found.Take());
  }

  // One pass in order over all sources, each opened when its turn comes. An entry counts only when it is
  // at least the interval away from the one before, whatever stream either is in.
  Status MergeWithInterval() {
    const int64_t interval_ns = query_.request().interval_ns;
    std::vector<std::unique_ptr<OrderedRows>> open;
    FoundEntries found(query_.budget());
    size_t next = 0;
    uint32_t seen = 0;
    while (found.size() < limit_) {
      if (++seen % kRowsBetweenChecks == 1) VARVE_RETURN_IF_ERROR(query_.CheckAlive());
      OrderedRows* first = First(open);
      if (next < order_.size() &&
          (first == nullptr || !StartsBehind(*order_[next], first->position().ts_ns))) {
        VARVE_ASSIGN_OR_RETURN(
            auto rows, OrderedRows::Open(scan_, stream_order_, *order_[next++], scan_.range(), direction_));
        if (!found.empty()) SkipInterval(found.last_ns(), interval_ns, rows.get());
        query_.AddStats(rows->stats());
        open.push_back(std::move(rows));
        continue;
      }
      if (first == nullptr) break;
      bool passed = page_.Wants(first->position(), first->stream());
      if (passed) {
        VARVE_ASSIGN_OR_RETURN(passed, first->Process());
      }
      if (!passed) {
        first->Next();
        continue;
      }
      VARVE_RETURN_IF_ERROR(found.Add(TakeEntry(scan_, *first)));
      first->Next();
      for (auto& rows : open) SkipInterval(found.last_ns(), interval_ns, rows.get());
      std::erase_if(open, [](const auto& rows) { return rows->AtEnd(); });
    }
    return best_.Merge(found.Take());
  }

  void SkipInterval(int64_t last_ns, int64_t interval_ns, OrderedRows* rows) const {
    int64_t next_ns = 0;
    if (direction_ == Direction::kForward) {
      if (__builtin_add_overflow(last_ns, interval_ns, &next_ns)) next_ns = INT64_MAX;
    } else {
      if (__builtin_sub_overflow(last_ns, interval_ns, &next_ns)) next_ns = INT64_MIN;
    }
    rows->SkipTo(next_ns);
  }

  OrderedRows* First(const std::vector<std::unique_ptr<OrderedRows>>& open) const {
    OrderedRows* first = nullptr;
    for (const auto& rows : open) {
      if (rows->AtEnd()) continue;
      if (first == nullptr || ComesBefore(direction_, rows->position(), first->position()))
        first = rows.get();
    }
    return first;
  }

  // Whether all of the source's rows come after every row at `ts_ns`.
  bool StartsBehind(const LogScan::SourceSlices& source, int64_t ts_ns) const {
    return direction_ == Direction::kForward ? source.min_ts_ns > ts_ns : source.max_ts_ns < ts_ns;
  }

  QueryContext& query_;
  const LogScan& scan_;
  const Direction direction_;
  const uint32_t limit_;
  const StreamOrder& stream_order_;
  const LogPage& page_;
  BestEntries best_;
  std::vector<const LogScan::SourceSlices*> order_;
};

}  // namespace

Result<Streams> RunLogQuery(QueryContext& query, const logql::LogSelector& selector,
                            std::optional<EntryPosition>* last) {
  const QueryRequest& request = query.request();
  TimeRange range{request.start_ns, request.end_ns};
  // The entries of one nanosecond can be asked for by that nanosecond alone.
  if (range.begin_ns == range.end_ns && range.end_ns != INT64_MAX) ++range.end_ns;
  if (request.after.has_value()) {
    range = RangeBehind(*request.after, request.direction, request.interval_ns, range);
  }
  VARVE_ASSIGN_OR_RETURN(const auto scan,
                         LogScan::Open(query, selector, std::nullopt, logql::LabelNeeds(), range));
  QueryPlan* const explained = request.plan;
  if (explained != nullptr) {
    VARVE_ASSIGN_OR_RETURN(ScanPlan plan, DescribeScan(*scan, selector, "log query"));
    plan.columns = ColumnNames(scan->has_line_filter() ? kTimestamps | kLines : kTimestamps | kLines | kMetadata);
    if (scan->has_line_filter()) plan.late_columns = ColumnNames(kMetadata);
    plan.may_stop_early = request.limit < plan.selected.lines;
    explained->scans.push_back(std::move(plan));
  }
  if (request.limit == 0 || (explained != nullptr && !explained->run)) return Streams();
  const StreamOrder order(scan->snapshot().streams(), request.direction);
  VARVE_ASSIGN_OR_RETURN(const LogPage page, LogPage::Open(*scan, order, request.direction, request.after));
  LogQueryRun run(query, *scan, order, page, request.limit);
  VARVE_ASSIGN_OR_RETURN(std::vector<FoundEntry> entries, run.Run());
  if (request.paging && entries.size() == request.limit) {
    VARVE_ASSIGN_OR_RETURN(*last, page.NameOf(entries.back().position, entries.back().stream));
  }
  QueryStats stats;
  stats.entries_returned = entries.size();
  query.AddStats(stats);
  if (explained != nullptr) explained->scans.back().read = query.stats();
  return GroupByStream(*scan, std::move(entries));
}

}  // namespace varve
