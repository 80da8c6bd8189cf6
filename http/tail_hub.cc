#include "http/tail_hub.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/append_observer.h"
#include "engine/base/mutex.h"
#include "engine/base/thread_pool.h"
#include "http/tail_batch.h"
#include "http/tail_group.h"
#include "query/logql/printer.h"

namespace varve {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// What a session takes by itself, its connection's buffers included.
constexpr int64_t kSessionBytes = 4 << 10;
// Entries lost before they reached the worker that are remembered one by one.
constexpr size_t kLostMax = TailSession::kDroppedMax;
constexpr milliseconds kShedInterval{50};
// A client that has taken nothing for this long may be cut when memory runs out.
constexpr milliseconds kStallToCut{1000};

// The entries of late, to tell when one comes again. Holds the latest 32,768 at least.
class RecentEntries {
 public:
  // Whether it was there already; it is now.
  bool Seen(uint64_t identity) {
    if (current_.contains(identity) || previous_.contains(identity)) return true;
    if (current_.size() == kGeneration) {
      previous_ = std::move(current_);
      current_.clear();
    }
    current_.insert(identity);
    return false;
  }
  void Forget() {
    current_ = {};
    previous_ = {};
  }

 private:
  static constexpr size_t kGeneration = 32768;
  std::unordered_set<uint64_t> current_, previous_;
};

}  // namespace

struct TailHub::Impl final : public AppendObserver, public std::enable_shared_from_this<TailHub::Impl> {
  struct Member {
    const TailSession* name = nullptr;  // only compared
    std::weak_ptr<TailSession> session;
  };
  using Members = std::shared_ptr<const std::vector<Member>>;
  struct GroupEntry {
    std::shared_ptr<TailGroup> group;
    std::string key;
    Members members;  // replaced, never changed
  };
  // A batch, or what is left of one that found no room.
  struct Queued {
    std::unique_ptr<const TailBatch> batch;
    uint64_t arrival = 0;  // of its first row
  };
  struct LostEntry {
    StreamOrdinal stream;
    int64_t ts_ns;
  };
  // Which groups want a stream, of those up to `through`.
  struct Route {
    uint64_t through = 0;
    std::vector<std::shared_ptr<TailGroup>> groups;
  };

  Impl(Engine* engine_in, TailOptions options_in)
      : engine(engine_in),
        options(options_in),
        budget("tails", options_in.memory_bytes),
        queue_budget("tail queue", options_in.memory_bytes / 2, &budget) {}

  // --- Any thread
  void OnAppend(const AppendBatch& batch) override VARVE_EXCLUDES(nobody_mu, queue_mu);
  Result<std::shared_ptr<TailSession>> Join(const TailRequest& request, uint32_t concurrent_max)
      VARVE_EXCLUDES(mu, queue_mu);
  void Leave(const TailSession* session, uint64_t group, const std::string& tenant) VARVE_EXCLUDES(mu);
  Result<GroupEntry*> GroupFor(const TailRequest& request) VARVE_REQUIRES(mu);

  // --- The worker
  void Work();
  void RefreshGroups() VARVE_EXCLUDES(mu);
  Route& RouteOf(StreamOrdinal stream) VARVE_EXCLUDES(nobody_mu);
  bool IsOfTenant(StreamOrdinal stream, const std::string& tenant);
  void Process(const Queued& queued, SteadyClock::time_point now);
  void TellLost(const std::vector<LostEntry>& lost);
  // Returns when to come back.
  SteadyClock::time_point SendReady(SteadyClock::time_point now);
  void ShedIfFull(SteadyClock::time_point now);

  Engine* const engine;
  const TailOptions options;
  MemoryBudget budget;
  MemoryBudget queue_budget;  // of which the queue may take half
  TailCounters counters;

  // Lock order: mu → nobody_mu, mu → queue_mu. No session is called, and none may be destroyed, under mu.
  Mutex mu;
  std::map<uint64_t, GroupEntry> groups VARVE_GUARDED_BY(mu);  // by number
  std::map<std::string, uint64_t> group_numbers VARVE_GUARDED_BY(mu);
  std::map<std::string, uint32_t> open_by_tenant VARVE_GUARDED_BY(mu);
  uint64_t version VARVE_GUARDED_BY(mu) = 0;  // of groups and their members
  bool group_removed VARVE_GUARDED_BY(mu) = false;
  uint64_t last_group VARVE_GUARDED_BY(mu) = 0;

  // By stream: the last group when it was found that nobody wants it. Pushes read it.
  SharedMutex nobody_mu;
  std::vector<uint64_t> nobody_through VARVE_GUARDED_BY(nobody_mu);
  uint64_t newest_group VARVE_GUARDED_BY(nobody_mu) = 0;

  Mutex queue_mu;
  CondVar queue_wake, queue_idle;
  std::vector<Queued> queue VARVE_GUARDED_BY(queue_mu);
  std::vector<LostEntry> lost VARVE_GUARDED_BY(queue_mu);
  uint64_t next_arrival VARVE_GUARDED_BY(queue_mu) = 1;
  bool busy VARVE_GUARDED_BY(queue_mu) = false;
  bool stopping VARVE_GUARDED_BY(queue_mu) = false;

  // The worker's own.
  uint64_t seen_version = 0;
  uint64_t seen_last_group = 0;
  std::vector<std::pair<std::shared_ptr<TailGroup>, Members>> current;  // ascending by number
  std::unordered_map<StreamOrdinal, Route> routes;                      // streams that somebody wants
  std::unordered_map<std::string, TenantId> tenants;
  RecentEntries recent;
  Route scratch_route;
  std::vector<uint64_t> identities;
  std::vector<bool> repeated;
  bool found_no_room = false;
  SteadyClock::time_point last_shed{};
};

// ---- Any thread -------------------------------------------------------------------------------------

void TailHub::Impl::OnAppend(const AppendBatch& batch) {
  std::vector<uint32_t> wanted;
  {
    const ReaderLock lock(nobody_mu);
    for (uint32_t i = 0; i < batch.streams.size(); ++i) {
      const auto& part = batch.streams[i];
      const bool nobody = part.stream < nobody_through.size() && nobody_through[part.stream] == newest_group;
      if (part.count != 0 && !nobody) wanted.push_back(i);
    }
  }
  if (wanted.empty()) return;
  Result<std::unique_ptr<const TailBatch>> copy = MakeTailBatch(batch, wanted, &queue_budget);
  const MutexLock lock(queue_mu);
  if (copy.ok()) {
    const uint64_t arrival = next_arrival;
    next_arrival += (*copy)->columns.row_count;
    queue.push_back({std::move(*copy), arrival});
  } else {
    uint64_t unlisted = 0;
    for (const uint32_t s : wanted) {
      const auto& part = batch.streams[s];
      for (uint32_t i = part.begin; i < part.begin + part.count; ++i) {
        if (lost.size() < kLostMax) {
          lost.push_back({part.stream, batch.entries[i].ts_ns});
        } else {
          ++unlisted;
        }
      }
    }
    counters.entries_dropped.fetch_add(unlisted, std::memory_order_relaxed);
  }
  queue_wake.NotifyOne();
}

Result<TailHub::Impl::GroupEntry*> TailHub::Impl::GroupFor(const TailRequest& request) {
  const auto* const selector = std::get_if<logql::LogSelector>(&request.expr->node);
  if (selector == nullptr) return InvalidArgument("only log selector is supported");
  std::string key = request.tenant + "\n" + std::to_string(static_cast<int>(request.form)) + " " +
                    std::to_string(request.delay_ms) + " " + logql::Print(*request.expr);
  if (const auto known = group_numbers.find(key); known != group_numbers.end()) {
    return &groups.find(known->second)->second;
  }
  const uint64_t number = last_group + 1;
  VARVE_ASSIGN_OR_RETURN(auto group, TailGroup::Make(number, request.tenant, *selector, request.form,
                                                     milliseconds(request.delay_ms), &budget));
  last_group = number;
  GroupEntry& entry = groups[number];
  entry.group = std::move(group);
  entry.members = std::make_shared<const std::vector<Member>>();
  entry.key = key;
  group_numbers.emplace(std::move(key), number);
  {
    // What was wanted by nobody may be wanted now.
    const WriterLock nobody_lock(nobody_mu);
    newest_group = number;
  }
  if (groups.size() == 1) engine->SetAppendObserver(this);
  return &entry;
}

Result<std::shared_ptr<TailSession>> TailHub::Impl::Join(const TailRequest& request,
                                                         uint32_t concurrent_max) {
  auto memory = std::make_unique<MemoryReservation>(&budget);
  VARVE_RETURN_IF_ERROR(memory->Add(kSessionBytes));
  const MutexLock lock(mu);
  const auto open_entry = open_by_tenant.find(request.tenant);
  const uint32_t open = open_entry == open_by_tenant.end() ? 0 : open_entry->second;
  if (concurrent_max != 0 && open >= concurrent_max) {
    counters.refused.fetch_add(1, std::memory_order_relaxed);
    return InvalidArgument("max concurrent tail requests limit exceeded, count > limit (" +
                           std::to_string(open + 1) + " > " + std::to_string(concurrent_max) + ")");
  }
  VARVE_ASSIGN_OR_RETURN(GroupEntry* const entry, GroupFor(request));
  TailSession::Options session_options;
  session_options.form = request.form;
  session_options.flags_json = request.flags_json;
  session_options.backlog_bytes_max = static_cast<size_t>(std::max<int64_t>(options.backlog_bytes_max, 0));
  session_options.duration_max = milliseconds(options.duration_max_ms);
  {
    const MutexLock queue_lock(queue_mu);
    session_options.joined_at = next_arrival;
  }
  // The leave needs the session's name, which is not known before it is made.
  auto name = std::make_shared<const TailSession*>(nullptr);
  auto session = std::make_shared<TailSession>(
      std::move(session_options), &counters, std::move(memory),
      [impl = weak_from_this(), name, group = entry->group->number, tenant = request.tenant] {
        if (const auto self = impl.lock()) self->Leave(*name, group, tenant);
      });
  *name = session.get();
  auto members = std::make_shared<std::vector<Member>>(*entry->members);
  members->push_back({session.get(), session});
  entry->members = std::move(members);
  ++open_by_tenant[request.tenant];
  ++version;
  counters.opened.fetch_add(1, std::memory_order_relaxed);
  counters.open.fetch_add(1, std::memory_order_relaxed);
  return session;
}

void TailHub::Impl::Leave(const TailSession* session, uint64_t group, const std::string& tenant) {
  const MutexLock lock(mu);
  counters.open.fetch_sub(1, std::memory_order_relaxed);
  ++version;
  if (--open_by_tenant[tenant] == 0) open_by_tenant.erase(tenant);
  const auto entry = groups.find(group);
  auto members = std::make_shared<std::vector<Member>>(*entry->second.members);
  std::erase_if(*members, [session](const Member& member) { return member.name == session; });
  if (!members->empty()) {
    entry->second.members = std::move(members);
    return;
  }
  group_numbers.erase(entry->second.key);
  groups.erase(entry);
  group_removed = true;
  if (!groups.empty()) return;
  engine->SetAppendObserver(nullptr);
  const WriterLock nobody_lock(nobody_mu);
  nobody_through = {};
}

// ---- The worker -------------------------------------------------------------------------------------

void TailHub::Impl::Work() {
  SteadyClock::time_point due = SteadyClock::time_point::max();
  for (;;) {
    std::vector<Queued> batches;
    std::vector<LostEntry> gone;
    {
      const MutexLock lock(queue_mu);
      busy = false;
      if (queue.empty() && lost.empty()) queue_idle.NotifyAll();
      while (!stopping && queue.empty() && lost.empty()) {
        const auto now = SteadyClock::now();
        if (due <= now) break;
        if (due == SteadyClock::time_point::max()) {
          queue_wake.Wait(queue_mu);
        } else {
          queue_wake.WaitFor(queue_mu, due - now);
        }
      }
      if (stopping) return;
      busy = true;
      batches.swap(queue);
      gone.swap(lost);
    }
    RefreshGroups();
    const auto now = SteadyClock::now();
    for (Queued& queued : batches) {
      Process(queued, now);
      queued.batch.reset();
    }
    TellLost(gone);
    due = SendReady(now);
    found_no_room |= !gone.empty();
    ShedIfFull(SteadyClock::now());
  }
}

void TailHub::Impl::RefreshGroups() {
  // Destroyed outside of the lock: groups that nobody else has any more.
  std::vector<std::pair<std::shared_ptr<TailGroup>, Members>> before;
  bool removed = false;
  {
    const MutexLock lock(mu);
    if (version == seen_version) return;
    seen_version = version;
    seen_last_group = last_group;
    removed = std::exchange(group_removed, false);
    before.swap(current);
    for (const auto& [number, entry] : groups) current.emplace_back(entry.group, entry.members);
  }
  if (!removed) return;
  if (current.empty()) {
    routes.clear();
    recent.Forget();
    return;
  }
  const auto is_gone = [this](const std::shared_ptr<TailGroup>& group) {
    const auto at = std::lower_bound(current.begin(), current.end(), group->number,
                                     [](const auto& entry, uint64_t n) { return entry.first->number < n; });
    return at == current.end() || at->first != group;
  };
  for (auto it = routes.begin(); it != routes.end();) {
    std::erase_if(it->second.groups, is_gone);
    it = it->second.groups.empty() ? routes.erase(it) : std::next(it);
  }
}

bool TailHub::Impl::IsOfTenant(StreamOrdinal stream, const std::string& tenant) {
  auto known = tenants.find(tenant);
  if (known == tenants.end()) {
    const Result<TenantId> id = engine->FindTenant(tenant);
    if (!id.ok()) return false;  // it may come yet
    known = tenants.emplace(tenant, *id).first;
  }
  return known->second == engine->StreamTenant(stream);
}

TailHub::Impl::Route& TailHub::Impl::RouteOf(StreamOrdinal stream) {
  const auto known = routes.find(stream);
  Route& route = known != routes.end() ? known->second : scratch_route;
  if (known == routes.end()) {
    route = Route();
    const ReaderLock lock(nobody_mu);
    if (stream < nobody_through.size()) route.through = nobody_through[stream];
  }
  if (route.through == seen_last_group) return route;
  const auto first_new =
      std::upper_bound(current.begin(), current.end(), route.through,
                       [](uint64_t n, const auto& entry) { return n < entry.first->number; });
  const Labels& labels = engine->StreamLabels(stream);
  for (auto it = first_new; it != current.end(); ++it) {
    if (IsOfTenant(stream, it->first->tenant) && it->first->Matches(labels))
      route.groups.push_back(it->first);
  }
  route.through = seen_last_group;
  if (known != routes.end()) return route;
  if (!route.groups.empty()) return routes.emplace(stream, std::move(route)).first->second;
  const WriterLock lock(nobody_mu);
  if (nobody_through.size() <= stream) nobody_through.resize(stream + size_t{1});
  nobody_through[stream] = seen_last_group;
  return route;
}

void TailHub::Impl::Process(const Queued& queued, SteadyClock::time_point now) {
  const TailBatch& batch = *queued.batch;
  for (const TailBatch::Part& part : batch.parts) {
    const Route& route = RouteOf(part.stream);
    if (route.groups.empty()) continue;
    identities.clear();
    repeated.clear();
    for (uint32_t row = part.row_begin; row < part.row_end; ++row) {
      identities.push_back(TailIdentity(part.stream, batch.columns.timestamps_ns[row],
                                        batch.columns.Line(row), batch.columns.Metadata(row)));
      repeated.push_back(recent.Seen(identities.back()));
    }
    const Labels& labels = engine->StreamLabels(part.stream);
    for (const auto& group : route.groups) {
      group->Process(batch, part, labels, identities, repeated, queued.arrival + part.row_begin, now);
    }
  }
}

void TailHub::Impl::TellLost(const std::vector<LostEntry>& gone) {
  for (const LostEntry& entry : gone) {
    const Route& route = RouteOf(entry.stream);
    for (const auto& group : route.groups) {
      const auto name = group->StreamName(engine->StreamLabels(entry.stream));
      const auto at = std::find_if(current.begin(), current.end(),
                                   [&](const auto& candidate) { return candidate.first == group; });
      if (at == current.end()) continue;
      for (const Member& member : *at->second) {
        if (const auto session = member.session.lock()) session->Dropped(entry.ts_ns, name);
      }
    }
  }
}

SteadyClock::time_point TailHub::Impl::SendReady(SteadyClock::time_point now) {
  auto due = SteadyClock::time_point::max();
  for (const auto& [group, members] : current) {
    const TailGroup::Ready ready = group->TakeReady(now);
    due = std::min(due, group->NextReady());
    found_no_room |= !ready.dropped.empty();
    if (ready.frames.empty() && ready.dropped.empty()) continue;
    for (const Member& member : *members) {
      const auto session = member.session.lock();
      if (session == nullptr) continue;
      for (const auto& frame : ready.frames) session->Offer(frame);
      for (const TailEntry& entry : ready.dropped) session->Dropped(entry.ts_ns, entry.labels);
    }
  }
  return due;
}

void TailHub::Impl::ShedIfFull(SteadyClock::time_point now) {
  const int64_t limit = budget.limit_bytes();
  if (!found_no_room && budget.used_bytes() < limit / 8 * 7) return;
  if (now - last_shed < kShedInterval) return;
  last_shed = now;
  found_no_room = false;
  std::vector<std::pair<std::chrono::nanoseconds, std::shared_ptr<TailSession>>> stalled;
  for (const auto& [group, members] : current) {
    for (const Member& member : *members) {
      auto session = member.session.lock();
      if (session == nullptr) continue;
      const auto time = session->StalledFor(now);
      if (time > kShedInterval) stalled.emplace_back(time, std::move(session));
    }
  }
  std::sort(stalled.begin(), stalled.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  const int64_t enough = limit / 4 * 3;
  for (const auto& [time, session] : stalled) {
    if (budget.used_bytes() <= enough) return;
    session->DropBacklog();
  }
  // What is left is being written to clients that do not take it.
  for (const auto& [time, session] : stalled) {
    if (budget.used_bytes() <= enough || time < kStallToCut) return;
    session->Abort();
  }
}

// ---- The hub ----------------------------------------------------------------------------------------

TailHub::TailHub(Engine* engine, TailOptions options)
    : impl_(std::make_shared<Impl>(engine, options)), worker_(std::make_unique<ThreadPool>("tail", 1)) {
  VARVE_CHECK(worker_->TrySubmit([impl = impl_] { impl->Work(); }));
}

TailHub::~TailHub() {
  impl_->engine->SetAppendObserver(nullptr);
  {
    const MutexLock lock(impl_->queue_mu);
    impl_->stopping = true;
    impl_->queue_wake.NotifyAll();
  }
  worker_.reset();
}

Result<std::shared_ptr<TailSession>> TailHub::Join(const TailRequest& request, uint32_t concurrent_max) {
  return impl_->Join(request, concurrent_max);
}

void TailHub::WaitUntilIdle() {
  const MutexLock lock(impl_->queue_mu);
  while (impl_->busy || !impl_->queue.empty() || !impl_->lost.empty())
    impl_->queue_idle.Wait(impl_->queue_mu);
}

MemoryBudget* TailHub::budget() const { return &impl_->budget; }
const TailCounters& TailHub::counters() const { return impl_->counters; }

}  // namespace varve
