#include "http/active_queries.h"

#include <utility>

namespace varve {

std::vector<ActiveQueryInfo> ActiveQueries::List(std::string_view tenant) const {
  std::vector<ActiveQueryInfo> found;
  const MutexLock lock(mu_);
  for (const auto& [id, entry] : entries_) {
    if (entry.info.tenant == tenant) found.push_back(entry.info);
  }
  return found;
}

Status ActiveQueries::Cancel(std::string_view tenant, uint64_t id) {
  const MutexLock lock(mu_);
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.info.tenant != tenant) {
    return NotFound("no query " + std::to_string(id) + " is running");
  }
  if (found->second.cancel != nullptr) found->second.cancel->Cancel();
  cancelled_.fetch_add(1, std::memory_order_relaxed);
  return Status::Ok();
}

size_t ActiveQueries::running() const {
  const MutexLock lock(mu_);
  return entries_.size();
}

uint64_t ActiveQueries::Add(ActiveQueryInfo info, CancelToken* cancel) {
  if (info.query.size() > kActiveQueryBytesMax) info.query.resize(kActiveQueryBytesMax);
  const MutexLock lock(mu_);
  info.id = next_id_++;
  const uint64_t id = info.id;
  entries_.emplace(id, Entry{std::move(info), cancel});
  return id;
}

void ActiveQueries::Remove(uint64_t id) {
  const MutexLock lock(mu_);
  entries_.erase(id);
}

ActiveQuery::ActiveQuery(ActiveQueries* table, ActiveQueryInfo info, CancelToken* cancel) : table_(table) {
  if (table_ != nullptr) id_ = table_->Add(std::move(info), cancel);
}

ActiveQuery::~ActiveQuery() {
  if (table_ != nullptr) table_->Remove(id_);
}

}  // namespace varve
