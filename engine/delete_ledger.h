// All delete requests, as stored, and the list of those that hide rows.
//
// Readers take `live()` before they look at any catalog: a request leaves the list only after every pack
// that it concerned has been replaced.
// Threads: thread-safe (a leaf lock). The engine stores a change first and then makes it here, one at a time
// under its commit lock.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/delete_request.h"
#include "engine/hidden_rows.h"

namespace varve {

class DeleteLedger {
 public:
  DeleteLedger() : live_(std::make_shared<LiveDeletes>()) {}

  // The requests that hide rows, ascending by number.
  std::shared_ptr<const LiveDeletes> live() const VARVE_EXCLUDES(mu_);
  // All of a tenant's that are listed, ascending by number.
  std::vector<DeleteRequest> List(std::string_view tenant) const VARVE_EXCLUDES(mu_);
  std::optional<DeleteRequest> Find(std::string_view tenant, std::string_view id) const VARVE_EXCLUDES(mu_);
  // The greatest DeleteRequest::changed of the tenant's requests; 0 when there are none.
  uint64_t Generation(std::string_view tenant) const VARVE_EXCLUDES(mu_);
  uint64_t last_number() const VARVE_EXCLUDES(mu_);
  int64_t last_created_ns() const VARVE_EXCLUDES(mu_);
  bool HasId(std::string_view id) const VARVE_EXCLUDES(mu_);

  // Adds a request or replaces it. `filter` and `tenant` as in LiveDelete; null for one that hides nothing.
  void Put(const DeleteRequest& request, TenantId tenant, std::shared_ptr<const RowFilter> filter)
      VARVE_EXCLUDES(mu_);
  void Erase(uint64_t number) VARVE_EXCLUDES(mu_);
  // Requests that hide nothing and may be forgotten: processed or cancelled before `before_ns`, or above
  // `kept_max`; never the newest of a tenant, which carries its generation.
  std::vector<uint64_t> Forgettable(int64_t before_ns, size_t kept_max) const VARVE_EXCLUDES(mu_);

  // Packs that were looked at and hold nothing a request takes; kept in memory only.
  void NoteUntouched(uint64_t number, uint64_t pack) VARVE_EXCLUDES(mu_);
  bool IsUntouched(uint64_t number, uint64_t pack) const VARVE_EXCLUDES(mu_);

 private:
  struct Entry {
    DeleteRequest request;
    LiveDeletePtr live;  // null when it hides nothing
    std::unordered_set<uint64_t> untouched;
  };

  void RebuildLive() VARVE_REQUIRES(mu_);

  mutable Mutex mu_;
  std::map<uint64_t, Entry> entries_ VARVE_GUARDED_BY(mu_);
  std::shared_ptr<const LiveDeletes> live_ VARVE_GUARDED_BY(mu_);  // never null
};

}  // namespace varve
