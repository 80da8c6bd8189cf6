#include "alerting/notify/external_alertmanagers.h"

#include <algorithm>
#include <chrono>
#include <mutex>

#include "alerting/notify/alertmanager_queue.h"

namespace varve {

// Ending a request under way takes up to a second, so nobody who posts waits for that: while targets are replaced, what
// is posted is held aside.
struct ExternalAlertmanagers::Impl {
  const ExternalAlertmanagersOptions options;
  std::mutex change_mu;  // of Configure and Stop; taken before mu
  mutable std::mutex mu;
  std::vector<std::unique_ptr<AlertmanagerQueue>> queues;  // guarded by mu; changed with change_mu held too
  bool changing = false;                                   // below: guarded by mu
  bool stopped = false;
  std::deque<QueuedAlert> held;

  void Add(const std::string& tenant, const std::vector<PostedAlert>& alerts) {
    for (const auto& queue : queues) queue->Add(tenant, alerts);
  }
  void Hold(const std::string& tenant, const std::vector<PostedAlert>& alerts) {
    for (const PostedAlert& alert : alerts) held.push_back({tenant, alert});
    while (held.size() > options.queue_max) held.pop_front();
  }
};

ExternalAlertmanagers::ExternalAlertmanagers(ExternalAlertmanagersOptions options)
    : impl_(new Impl{.options = options, .change_mu = {}, .mu = {}, .queues = {}, .held = {}}) {}

ExternalAlertmanagers::~ExternalAlertmanagers() = default;

void ExternalAlertmanagers::Configure(std::vector<AlertmanagerTarget> targets) {
  const std::lock_guard change(impl_->change_mu);
  {
    const std::lock_guard lock(impl_->mu);
    if (impl_->stopped) return;
    impl_->changing = true;
  }
  // Cancelled together, so that this takes as long as the slowest.
  for (const auto& queue : impl_->queues) queue->EndNow();
  for (const auto& queue : impl_->queues) queue->Join();
  std::vector<std::unique_ptr<AlertmanagerQueue>> next;
  for (AlertmanagerTarget& target : targets) {
    std::deque<QueuedAlert> waiting;
    AlertmanagerStats stats;
    const auto before = std::find_if(impl_->queues.begin(), impl_->queues.end(),
                                     [&](const auto& queue) { return queue->url() == target.url; });
    if (before != impl_->queues.end()) {
      waiting = (*before)->TakeWaiting();
      stats = (*before)->Stats();
    }
    next.push_back(
        std::make_unique<AlertmanagerQueue>(std::move(target), impl_->options, std::move(waiting), std::move(stats)));
  }
  const std::lock_guard lock(impl_->mu);
  impl_->queues.swap(next);
  for (const QueuedAlert& queued : impl_->held) impl_->Add(queued.tenant, {queued.alert});
  impl_->held.clear();
  impl_->changing = false;
}

Status ExternalAlertmanagers::Post(std::string_view tenant, const std::vector<PostedAlert>& alerts) {
  const std::lock_guard lock(impl_->mu);
  if (impl_->stopped) return Unavailable("the senders to Alertmanagers have stopped");
  if (impl_->changing) {
    impl_->Hold(std::string(tenant), alerts);
  } else {
    impl_->Add(std::string(tenant), alerts);
  }
  return Status::Ok();
}

void ExternalAlertmanagers::Stop(int64_t wait_ms) {
  using Clock = std::chrono::steady_clock;
  const std::lock_guard change(impl_->change_mu);
  {
    const std::lock_guard lock(impl_->mu);
    impl_->stopped = true;
  }
  const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(wait_ms);
  for (const auto& queue : impl_->queues) queue->EndWhenEmpty();
  for (const auto& queue : impl_->queues) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    queue->WaitEnded(left);
  }
  for (const auto& queue : impl_->queues) queue->EndNow();
  for (const auto& queue : impl_->queues) queue->Join();
}

std::vector<AlertmanagerStats> ExternalAlertmanagers::Stats() const {
  const std::lock_guard lock(impl_->mu);
  std::vector<AlertmanagerStats> out;
  for (const auto& queue : impl_->queues) out.push_back(queue->Stats());
  return out;
}

}  // namespace varve
