#include "engine/delete_ledger.h"

#include <algorithm>

namespace varve {

std::shared_ptr<const LiveDeletes> DeleteLedger::live() const {
  const MutexLock lock(mu_);
  return live_;
}

std::vector<DeleteRequest> DeleteLedger::List(std::string_view tenant) const {
  const MutexLock lock(mu_);
  std::vector<DeleteRequest> listed;
  for (const auto& [number, entry] : entries_) {
    if (entry.request.tenant == tenant && entry.request.state != DeleteRequest::State::kCancelled) {
      listed.push_back(entry.request);
    }
  }
  return listed;
}

std::optional<DeleteRequest> DeleteLedger::Find(std::string_view tenant, std::string_view id) const {
  const MutexLock lock(mu_);
  for (const auto& [number, entry] : entries_) {
    if (entry.request.tenant == tenant && entry.request.id == id &&
        entry.request.state != DeleteRequest::State::kCancelled) {
      return entry.request;
    }
  }
  return std::nullopt;
}

uint64_t DeleteLedger::Generation(std::string_view tenant) const {
  const MutexLock lock(mu_);
  uint64_t generation = 0;
  for (const auto& [number, entry] : entries_) {
    if (entry.request.tenant == tenant) generation = std::max(generation, entry.request.changed);
  }
  return generation;
}

uint64_t DeleteLedger::last_number() const {
  const MutexLock lock(mu_);
  uint64_t last = 0;
  for (const auto& [number, entry] : entries_) last = std::max({last, number, entry.request.changed});
  return last;
}

int64_t DeleteLedger::last_created_ns() const {
  const MutexLock lock(mu_);
  return entries_.empty() ? 0 : entries_.rbegin()->second.request.created_ns;
}

bool DeleteLedger::HasId(std::string_view id) const {
  const MutexLock lock(mu_);
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const auto& entry) { return entry.second.request.id == id; });
}

void DeleteLedger::RebuildLive() {
  auto live = std::make_shared<LiveDeletes>();
  for (const auto& [number, entry] : entries_) {
    if (entry.live != nullptr) live->push_back(entry.live);
  }
  live_ = std::move(live);
}

void DeleteLedger::Put(const DeleteRequest& request, TenantId tenant,
                       std::shared_ptr<const RowFilter> filter) {
  const MutexLock lock(mu_);
  Entry& entry = entries_[request.number];
  entry.request = request;
  entry.live = filter == nullptr ? nullptr
                                 : std::make_shared<LiveDelete>(LiveDelete{
                                       .request = request, .tenant = tenant, .filter = std::move(filter)});
  if (entry.live == nullptr) entry.untouched.clear();
  RebuildLive();
}

void DeleteLedger::Erase(uint64_t number) {
  const MutexLock lock(mu_);
  entries_.erase(number);
  RebuildLive();
}

std::vector<uint64_t> DeleteLedger::Forgettable(int64_t before_ns, size_t kept_max) const {
  const MutexLock lock(mu_);
  std::map<std::string_view, uint64_t> newest;
  size_t idle = 0;
  for (const auto& [number, entry] : entries_) {
    uint64_t& changed = newest[entry.request.tenant];
    changed = std::max(changed, entry.request.changed);
    idle += entry.live == nullptr ? 1 : 0;
  }
  std::vector<uint64_t> found;
  for (const auto& [number, entry] : entries_) {
    if (entry.live != nullptr || entry.request.changed == newest[entry.request.tenant]) continue;
    if (entry.request.processed_ns >= before_ns && idle - found.size() <= kept_max) continue;
    found.push_back(number);
  }
  return found;
}

void DeleteLedger::NoteUntouched(uint64_t number, uint64_t pack) {
  const MutexLock lock(mu_);
  if (const auto it = entries_.find(number); it != entries_.end()) it->second.untouched.insert(pack);
}

bool DeleteLedger::IsUntouched(uint64_t number, uint64_t pack) const {
  const MutexLock lock(mu_);
  const auto it = entries_.find(number);
  return it != entries_.end() && it->second.untouched.contains(pack);
}

}  // namespace varve
