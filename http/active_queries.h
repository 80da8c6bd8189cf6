// The queries that run or wait now, of both languages and all APIs: to be looked at, and to be ended.
//
//   const ActiveQuery entry(table, {.tenant = …, .query = …}, request.cancel);   // for as long as it runs
//
// Threads: thread-safe. Ownership: the table outlives its entries; a token outlives its entry.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/mutex.h"
#include "engine/base/status.h"

namespace varve {

struct ActiveQueryInfo {
  uint64_t id = 0;  // set by the table; never reused
  std::string tenant;
  std::string language;  // "promql", "logql"
  std::string endpoint;  // the request's path
  std::string query;     // its first kActiveQueryBytesMax bytes
  std::string remote;    // who asks
  int64_t started_ns = 0;
};

inline constexpr size_t kActiveQueryBytesMax = 4096;

class ActiveQueries {
 public:
  // Ascending by id; of one tenant.
  std::vector<ActiveQueryInfo> List(std::string_view tenant) const VARVE_EXCLUDES(mu_);
  // kNotFound: the tenant has no such query (any more).
  Status Cancel(std::string_view tenant, uint64_t id) VARVE_EXCLUDES(mu_);

  size_t running() const VARVE_EXCLUDES(mu_);
  uint64_t cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

 private:
  friend class ActiveQuery;
  struct Entry {
    ActiveQueryInfo info;
    CancelToken* cancel = nullptr;
  };
  uint64_t Add(ActiveQueryInfo info, CancelToken* cancel) VARVE_EXCLUDES(mu_);
  void Remove(uint64_t id) VARVE_EXCLUDES(mu_);

  mutable Mutex mu_;
  uint64_t next_id_ VARVE_GUARDED_BY(mu_) = 1;
  std::map<uint64_t, Entry> entries_ VARVE_GUARDED_BY(mu_);
  std::atomic<uint64_t> cancelled_{0};  // publishes nothing
};

// An entry for as long as it lives; nothing when there is no table.
class ActiveQuery {
 public:
  ActiveQuery(ActiveQueries* table, ActiveQueryInfo info, CancelToken* cancel);
  ~ActiveQuery();
  ActiveQuery(const ActiveQuery&) = delete;
  ActiveQuery& operator=(const ActiveQuery&) = delete;

 private:
  ActiveQueries* const table_;
  uint64_t id_ = 0;
};

}  // namespace varve
