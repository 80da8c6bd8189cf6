#include "query/exec/query_context.h"

#include <limits>

namespace varve {
namespace {

CancelToken::SteadyTime DeadlineIn(int64_t timeout_ms) {
  if (timeout_ms <= 0) return CancelToken::SteadyTime::max();
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
}

}  // namespace

QueryContext::QueryContext(Engine& engine, const QueryRequest& request, const QueryLimits& limits)
    : engine_(engine),
      request_(request),
      limits_(limits),
      budget_("query",
              limits.max_query_memory_bytes > 0 ? limits.max_query_memory_bytes
                                                : std::numeric_limits<int64_t>::max(),
              engine.query_budget()),
      deadline_(DeadlineIn(limits.query_timeout_ms)) {}

Status QueryContext::CheckAlive() const {
  if (request_.cancel != nullptr) VARVE_RETURN_IF_ERROR(request_.cancel->Check());
  return deadline_.Check();
}

Status QueryContext::CheckAlive(uint64_t rank) const {
  if (failed_rank_.load(std::memory_order_relaxed) < rank) [[unlikely]] {
    return Cancelled("another task of the query failed");
  }
  return CheckAlive();
}

void QueryContext::Fail(uint64_t rank, Status status) {
  MutexLock lock(mu_);
  if (!failure_.ok() && rank >= failed_rank_.load(std::memory_order_relaxed)) return;
  failure_ = std::move(status);
  failed_rank_.store(rank, std::memory_order_relaxed);
}

Status QueryContext::TakeFailure() {
  MutexLock lock(mu_);
  return failure_.Clone();
}

void QueryContext::AddStats(const QueryStats& delta) {
  MutexLock lock(mu_);
  stats_.streams += delta.streams;
  stats_.sources += delta.sources;
  stats_.sources_loaded += delta.sources_loaded;
  stats_.bytes_on_disk_read += delta.bytes_on_disk_read;
  stats_.lines_processed += delta.lines_processed;
  stats_.bytes_processed += delta.bytes_processed;
  stats_.metadata_bytes_processed += delta.metadata_bytes_processed;
  stats_.lines_after_filters += delta.lines_after_filters;
  stats_.duplicates += delta.duplicates;
  stats_.entries_returned += delta.entries_returned;
  stats_.head_lines += delta.head_lines;
  stats_.head_bytes += delta.head_bytes;
  stats_.result_cache.requests += delta.result_cache.requests;
  stats_.result_cache.entries_requested += delta.result_cache.entries_requested;
  stats_.result_cache.entries_found += delta.result_cache.entries_found;
  stats_.result_cache.entries_stored += delta.result_cache.entries_stored;
  stats_.result_cache.bytes_received += delta.result_cache.bytes_received;
  stats_.result_cache.bytes_sent += delta.result_cache.bytes_sent;
  stats_.result_cache.length_served_ns += delta.result_cache.length_served_ns;
}

QueryStats QueryContext::stats() const {
  MutexLock lock(mu_);
  return stats_;
}

}  // namespace varve
