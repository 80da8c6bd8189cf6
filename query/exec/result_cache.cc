#include "query/exec/result_cache.h"

#include <functional>
#include <string_view>

namespace varve {
namespace {

// A list node, a map node and their allocations, roughly.
constexpr int64_t kEntryOverheadBytes = 256;

}  // namespace

int64_t CachedExtent::MemoryBytes() const {
  size_t bytes = sizeof(*this) + series.capacity() * sizeof(Series);
  for (const Series& one : series) {
    bytes += one.points.capacity() * sizeof(StepPoint) + one.labels.capacity() * sizeof(one.labels[0]);
    for (const auto& [name, value] : one.labels) bytes += name.capacity() + value.capacity();
  }
  return static_cast<int64_t>(bytes);
}

size_t ResultCache::KeyHash::operator()(const Key& key) const {
  const size_t query = std::hash<std::string_view>()(*key.query);
  return query ^ (std::hash<int64_t>()(key.extent) + 0x9e3779b97f4a7c15ULL + (query << 6) + (query >> 2));
}

ResultCache::ResultCache(int64_t bytes_max, MemoryBudget* parent)
    : budget_("result_cache", bytes_max, parent) {}

ResultCache::~ResultCache() {
  const MutexLock lock(mu_);
  while (!entries_.empty()) Erase(entries_.begin());
}

size_t ResultCache::size() const {
  const MutexLock lock(mu_);
  return entries_.size();
}

void ResultCache::Erase(Entries::iterator entry) {
  budget_.Release(entry->bytes);
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

std::shared_ptr<const CachedExtent> ResultCache::Find(const Key& key) {
  const MutexLock lock(mu_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->extent;
}

bool ResultCache::Insert(const Key& key, std::shared_ptr<const CachedExtent> extent) {
  // The query's text is shared by its extents, but counted in full: they may leave at different times.
  const int64_t bytes =
      extent->MemoryBytes() + static_cast<int64_t>(key.query->capacity()) + kEntryOverheadBytes;
  if (bytes > budget_.limit_bytes() / 8) return false;
  const MutexLock lock(mu_);
  if (const auto old = by_key_.find(key); old != by_key_.end()) Erase(old->second);
  while (!budget_.Reserve(bytes).ok()) {
    if (entries_.empty()) return false;
    Erase(std::prev(entries_.end()));
    counters_.evicted.fetch_add(1, std::memory_order_relaxed);
  }
  entries_.push_front({key, std::move(extent), bytes});
  by_key_.emplace(key, entries_.begin());
  counters_.stored.fetch_add(1, std::memory_order_relaxed);
  return true;
}

}  // namespace varve
