// Delete requests: taken, listed, cancelled. What they hide: hidden_rows.h; how their rows leave the disk:
// compaction.cc.
//
// A request covers what is stored when it comes. The heads are flushed first, so "stored" means "in a pack
// whose origin is at most `through`", the greatest pack number given out by then. What is pushed later lies
// in packs of higher origin and is not touched.
#include <algorithm>
#include <limits>

#include "engine/base/bytes.h"
#include "engine/codec/checksum.h"
#include "engine/engine_impl.h"

namespace varve {
namespace {

// Of a tenant that owns no stream: nothing is found under it.
constexpr TenantId kNobody = std::numeric_limits<TenantId>::max();

std::string HexId(uint64_t hash) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string id;
  for (int shift = 28; shift >= 0; shift -= 4) id.push_back(kDigits[(hash >> shift) & 0xF]);
  return id;
}

}  // namespace

void EngineImpl::RaiseLastPackNumber(uint64_t through) {
  if (last_pack_number_.load(std::memory_order_relaxed) < through) {
    last_pack_number_.store(through, std::memory_order_relaxed);
  }
}

Status EngineImpl::LoadDeletes() {
  VARVE_ASSIGN_OR_RETURN(const auto stored, stores_.meta->ListDeletes());
  for (const auto& [number, bytes] : stored) {
    VARVE_ASSIGN_OR_RETURN(const DeleteRequest request, DecodeDeleteRequest(bytes));
    if (request.number != number) return Corruption("hot database: a delete request under a wrong number");
    RaiseLastPackNumber(request.through);
    if (!request.hides_rows()) {
      delete_ledger_.Put(request, kNobody, nullptr);
      continue;
    }
    if (options_.row_filter_factory == nullptr) {
      return InvalidArgument("the directory holds delete requests, and nothing was given to compile them with");
    }
    auto filter = options_.row_filter_factory(request.query);
    if (!filter.ok()) {
      // Serving what somebody had deleted would be worse than not starting.
      return std::move(filter).status().WithContext("delete request " + request.id);
    }
    VARVE_ASSIGN_OR_RETURN(const TenantId tenant, streams_.InternTenant(request.tenant));
    delete_ledger_.Put(request, tenant, std::move(filter).value());
  }
  return Status::Ok();
}

Result<DeleteRequest> EngineImpl::AddDelete(std::string_view tenant, std::string_view query, int64_t start_ns,
                                            int64_t end_ns) {
  if (options_.row_filter_factory == nullptr) return Unimplemented("deletes are not available here");
  VARVE_ASSIGN_OR_RETURN(std::shared_ptr<const RowFilter> filter, options_.row_filter_factory(query));
  if (delete_ledger_.live()->size() >= options_.delete_requests_max) {
    return ResourceExhausted("too many delete requests are pending (compactor.delete_requests_max: " +
                             std::to_string(options_.delete_requests_max) + ")");
  }
  VARVE_RETURN_IF_ERROR(Flush());
  // A tenant that was never seen has nothing to hide, and asking must not create it.
  const Result<TenantId> owner = streams_.FindTenant(tenant);

  const MutexLock lock(commit_mu_);
  DeleteRequest request;
  request.number = delete_ledger_.last_number() + 1;
  request.changed = request.number;
  request.created_ns = std::max(options_.clock->NowNs(), delete_ledger_.last_created_ns());
  std::string seed;
  PutFixed<uint64_t>(&seed, request.number);
  PutFixed<int64_t>(&seed, request.created_ns);
  do {
    seed.push_back('\0');
    request.id = HexId(Checksum(seed));
  } while (delete_ledger_.HasId(request.id));
  request.tenant = tenant;
  request.query = query;
  request.start_ns = start_ns;
  request.end_ns = end_ns;
  request.through = last_pack_number_.load(std::memory_order_relaxed);
  MetaCommit commit;
  commit.deletes[request.number] = EncodeDeleteRequest(request);
  VARVE_RETURN_IF_ERROR(stores_.meta->Commit(commit));
  delete_ledger_.Put(request, owner.ok() ? *owner : kNobody, std::move(filter));
  generations_.Bump(request.range());
  return request;
}

uint64_t EngineImpl::PacksLeft(const LiveDelete& live) const {
  uint64_t left = 0;
  for (const auto& shard : shards_) {
    const MutexLock lock(shard->mu);
    for (const CatalogPackPtr& pack : *shard->catalog) {
      if (live.Concerns(pack->summary) && !delete_ledger_.IsUntouched(live.request.number, pack->id.number)) {
        ++left;
      }
    }
  }
  return left;
}

std::vector<DeleteRequest> EngineImpl::ListDeletes(std::string_view tenant) const {
  std::vector<DeleteRequest> requests = delete_ledger_.List(tenant);
  const auto live = delete_ledger_.live();
  for (DeleteRequest& request : requests) {
    const auto it = std::find_if(live->begin(), live->end(), [&](const LiveDeletePtr& candidate) {
      return candidate->request.number == request.number;
    });
    if (it != live->end()) request.packs_left = PacksLeft(**it);
  }
  return requests;
}

Status EngineImpl::CancelDelete(std::string_view tenant, std::string_view id, bool force) {
  const MutexLock lock(commit_mu_);
  std::optional<DeleteRequest> request = delete_ledger_.Find(tenant, id);
  if (!request.has_value()) return NotFound("could not find delete request with given id");
  if (request->state == DeleteRequest::State::kProcessed) {
    return InvalidArgument("deletion of request which is in process or already processed is not allowed");
  }
  const bool too_late = request->state == DeleteRequest::State::kRemoving ||
                        options_.clock->NowNs() - request->created_ns > options_.delete_cancel_period_ns;
  if (too_late && !force) return OutOfRange("the cancel period of the delete request is over");
  request->state = DeleteRequest::State::kCancelled;
  request->processed_ns = options_.clock->NowNs();
  request->changed = delete_ledger_.last_number() + 1;
  MetaCommit commit;
  commit.deletes[request->number] = EncodeDeleteRequest(*request);
  VARVE_RETURN_IF_ERROR(stores_.meta->Commit(commit));
  delete_ledger_.Put(*request, kNobody, nullptr);
  generations_.Bump(request->range());
  return Status::Ok();
}

uint64_t EngineImpl::DeleteGeneration(std::string_view tenant) const {
  return delete_ledger_.Generation(tenant);
}

}  // namespace varve
