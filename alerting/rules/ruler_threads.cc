// Who evaluates which group when.
#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "alerting/rules/ruler_impl.h"
#include "engine/base/time.h"

namespace varve {
namespace {

// Longer waits are cut: the clock may be set.
constexpr int64_t kWaitMaxMs = 1000;
// Between two records of a start that waits.
constexpr int64_t kWaitingRecordPauseMs = 500;

}  // namespace

int64_t Ruler::Impl::NowMs() const { return means.clock->NowNs() / kNsPerMs; }

void Ruler::Impl::Enqueue(const GroupKey& key, Running* running) {
  if (running->held || running->busy || !begun) return;
  (running->schedule.catching_up() ? late : on_time).emplace(running->schedule.next_ms(), &key);
  changed.NotifyAll();
}

void Ruler::Impl::Dequeue(const GroupKey& key, Running* running) {
  late.erase({running->schedule.next_ms(), &key});
  on_time.erase({running->schedule.next_ms(), &key});
}

Ruler::Impl::Groups::value_type* Ruler::Impl::FirstDue(const Queue& queue, int64_t now_ms) {
  for (const auto& [next_ms, key] : queue) {
    if (next_ms > now_ms) break;
    const auto at = groups.find(*key);
    if (at->second.schedule.due_ms() <= now_ms) return &*at;
  }
  return nullptr;
}

Ruler::Impl::Groups::value_type* Ruler::Impl::TakeDue(int64_t now_ms, bool strict_order) {
  Groups::value_type* item = FirstDue(on_time, now_ms);
  if (item == nullptr || strict_order) {
    Groups::value_type* const behind = FirstDue(late, now_ms);
    const bool sooner = item == nullptr || (behind != nullptr && behind->second.schedule.next_ms() <
                                                                     item->second.schedule.next_ms());
    if (sooner) item = behind;
  }
  if (item == nullptr) return nullptr;
  Dequeue(item->first, &item->second);
  item->second.busy = true;
  return item;
}

std::optional<Ruler::Impl::Retired> Ruler::Impl::TakeRetired(int64_t now_ms) {
  const auto at = std::find_if(retired.begin(), retired.end(), [&](const Retired& r) { return r.due_ms <= now_ms; });
  if (at == retired.end()) return std::nullopt;
  Retired taken = std::move(*at);
  retired.erase(at);
  return taken;
}

int64_t Ruler::Impl::NextDue() const {
  int64_t next = on_time.empty() ? INT64_MAX : on_time.begin()->first;
  for (const auto& [next_ms, key] : late) next = std::min(next, groups.find(*key)->second.schedule.due_ms());
  for (const Retired& r : retired) next = std::min(next, r.due_ms);
  return next;
}

void Ruler::Impl::Evaluate(Groups::value_type* item, int64_t now_ms, const std::function<int64_t()>& end_ms) {
  CancelToken cancel;
  Running& running = item->second;
  GroupEvaluation::When when;
  std::shared_ptr<GroupState> state;
  bool was_late = false;
  {
    const MutexLock lock(mu);
    state = running.state;
    was_late = running.schedule.catching_up() && !running.schedule.IsLatest(now_ms);
    when = {.ts_ms = running.schedule.next_ms(), .send = !was_late, .again = running.again};
    running.cancel = &cancel;
    if (stopping || running.held) cancel.Cancel();
  }
  const bool done = GroupEvaluation(means, options, &counters, state.get(), when, &cancel).Run();
  const MutexLock lock(mu);
  running.cancel = nullptr;
  running.busy = false;
  running.again = !done;
  if (done) {
    // As of its end: what became due meanwhile and is too late by now is not begun.
    iterations_missed.fetch_add(running.schedule.Advance(end_ms()), std::memory_order_relaxed);
    if (was_late) iterations_caught_up.fetch_add(1, std::memory_order_relaxed);
  }
  Enqueue(item->first, &running);
  changed.NotifyAll();
}

void Ruler::Impl::EndSeries(const Retired& gone) {
  std::vector<PackedLabels> live;
  {
    const MutexLock lock(mu);
    for (const auto& [key, running] : groups) {
      if (key.tenant != gone.tenant) continue;
      const MutexLock group_lock(running.state->mu);
      AddLiveSeries(*running.state, &live);
    }
  }
  const SeriesSet taken_up(live.begin(), live.end());
  SampleBatch stale;
  for (const PackedLabels& series : gone.series) {
    if (!taken_up.contains(series)) stale.AddStale(series, gone.sample_ms);
  }
  if (stale.empty()) return;
  const SampleWrite write = WriteSamples(means.writes->metrics(), gone.tenant, stale);
  counters.samples_written.fetch_add(write.written, std::memory_order_relaxed);
  if (!write.status.ok() && !write.refused) counters.write_failures.fetch_add(1, std::memory_order_relaxed);
}

bool Ruler::Impl::IsTimeToRecordWaiting(int64_t now_ms) {
  if (now_ms >= waiting_until_ms) return false;
  if (seen_waiting_ms.has_value() && now_ms - *seen_waiting_ms < kWaitingRecordPauseMs) return false;
  seen_waiting_ms = now_ms;
  return true;
}

void Ruler::Impl::RecordWaiting(int64_t now_ms) {
  if (means.engine->records().WriteRecords({WaitingRecord(now_ms)}, {}).ok()) return;
  counters.state_write_failures.fetch_add(1, std::memory_order_relaxed);
}

void Ruler::Impl::Work() {
  MutexLock lock(mu);
  while (!stopping) {
    const int64_t now_ms = NowMs();
    if (IsTimeToRecordWaiting(now_ms)) {
      mu.Unlock();
      RecordWaiting(now_ms);
      mu.Lock();
      continue;
    }
    if (Groups::value_type* const item = TakeDue(now_ms, false); item != nullptr) {
      mu.Unlock();
      Evaluate(item, NowMs(), [this] { return NowMs(); });
      mu.Lock();
      continue;
    }
    if (std::optional<Retired> gone = TakeRetired(now_ms); gone.has_value()) {
      mu.Unlock();
      EndSeries(*gone);
      mu.Lock();
      continue;
    }
    const int64_t next = NextDue();
    const int64_t wait_max_ms = now_ms < waiting_until_ms ? kWaitingRecordPauseMs : kWaitMaxMs;
    const int64_t wait_ms = next == INT64_MAX ? wait_max_ms : std::clamp<int64_t>(next - now_ms, 1, wait_max_ms);
    changed.WaitFor(mu, std::chrono::milliseconds(wait_ms));
  }
}

void Ruler::EvaluateDue(int64_t now_ms) {
  impl_->Begin(now_ms, 0);
  while (true) {
    Impl::Groups::value_type* item = nullptr;
    std::optional<Impl::Retired> gone;
    {
      const MutexLock lock(impl_->mu);
      if (impl_->stopping) return;
      item = impl_->TakeDue(now_ms, true);
      if (item == nullptr) gone = impl_->TakeRetired(now_ms);
    }
    if (item != nullptr) {
      impl_->Evaluate(item, now_ms, [now_ms] { return now_ms; });
    } else if (gone.has_value()) {
      impl_->EndSeries(*gone);
    } else {
      return;
    }
  }
}

}  // namespace varve
