#include "alerting/notify/notifier.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "alerting/notify/alert_labels.h"
#include "alerting/notify/dispatcher.h"
#include "alerting/notify/silence_store.h"
#include "engine/base/json_writer.h"
#include "engine/base/mutex.h"

namespace varve {
namespace {

constexpr int64_t kSweepMs = 60'000;
// The clock may be set: nobody sleeps longer than this.
constexpr int64_t kSleepMaxMs = 1'000;
constexpr int64_t kLookAgainMs = 100;
constexpr size_t kPartlySentMax = 1'000;
// Of a delivery that fails again and again, every so many attempts is a line.
constexpr uint32_t kLoggedFailures = 10;

DispatcherLimits LimitsOf(const NotifierOptions& options) {
  DispatcherLimits limits;
  limits.delivery_threads = std::max(1u, options.delivery_threads);
  limits.alerts_max = options.alerts_max;
  limits.retention_ms = options.retention_ms;
  limits.retries.backoff_max_ms = std::max<int64_t>(1, options.backoff_max_ms);
  limits.retries.backoff_min_ms = std::min(limits.retries.backoff_min_ms, limits.retries.backoff_max_ms);
  return limits;
}

Notification MakeNotification(const DeliveryJob& job, const std::string& external_url, int64_t now_ms) {
  Notification notification;
  notification.tenant = job.tenant;
  notification.receiver = job.lane->means().receiver;
  notification.group_key = job.group_key;
  notification.group_labels = job.group_labels;
  notification.external_url = external_url;
  notification.now_ms = now_ms;
  for (const FlushedAlert& alert : job.alerts) {
    PostedAlert& one = notification.alerts.emplace_back(*alert.alert);
    if (!alert.resolved) one.ends_at_ms = 0;
    notification.fingerprints.push_back(FingerprintText(alert.fingerprint));
  }
  return notification;
}

void AppendField(std::string* out, std::string_view name, std::string_view value) {
  *out += out->empty() ? '{' : ',';
  AppendJsonString(out, name);
  *out += ':';
  AppendJsonString(out, value);
}
void AppendField(std::string* out, std::string_view name, size_t value) {
  *out += out->empty() ? '{' : ',';
  AppendJsonString(out, name);
  *out += ':';
  AppendUint(out, value);
}

std::string EventLine(const DeliveryJob& job, const Delivery& delivery) {
  const auto resolved = std::count_if(job.alerts.begin(), job.alerts.end(),
                                      [](const FlushedAlert& alert) { return alert.resolved; });
  const DeliveryLane::Means& means = job.lane->means();
  std::string line;
  AppendField(&line, "event", "notification");
  AppendField(&line, "receiver", means.receiver);
  AppendField(&line, "integration", means.kind + "[" + std::to_string(means.log->record.index) + "]");
  AppendField(&line, "group", job.group_key);
  AppendField(&line, "outcome", delivery.status.ok() ? "sent" : delivery.retry ? "retry" : "failed");
  AppendField(&line, "attempt", job.attempt);
  AppendField(&line, "firing", job.alerts.size() - static_cast<size_t>(resolved));
  AppendField(&line, "resolved", static_cast<size_t>(resolved));
  if (!delivery.status.ok()) AppendField(&line, "error", delivery.status.ToString());
  line += '}';
  return line;
}

}  // namespace

struct Notifier::Impl {
  Impl(RecordStore* record_store, const Clock* the_clock, NotifierOptions the_options)
      : clock(the_clock), options(std::move(the_options)),
        silences(record_store, options.silences_max, options.retention_ms),
        dispatcher(record_store, &silences, LimitsOf(options)) {}

  int64_t NowMs() const { return clock->NowNs() / 1'000'000; }
  void Schedule();
  void Deliver();
  // One attempt, without the lock.
  Delivery Attempt(const DeliveryJob& job, const CancelToken& cancel, int64_t now_ms) const;
  void Log(const DeliveryJob& job, const Delivery& delivery, int64_t now_ms) const;

  const Clock* const clock;
  NotifierOptions options;  // as they are once it has started
  mutable Mutex mu;  // guards all below
  CondVar changed;   // for the scheduler: something may be due sooner
  CondVar ready;     // for deliverers: a job may be due
  SilenceStore silences VARVE_GUARDED_BY(mu);
  Dispatcher dispatcher VARVE_GUARDED_BY(mu);
  std::shared_ptr<const NotifyConfig> config VARVE_GUARDED_BY(mu);
  std::shared_ptr<const IntegrationSet> integrations VARVE_GUARDED_BY(mu);
  // Of messages that some integrations of their receiver did not take: which ones did.
  std::map<std::pair<std::string, std::string>, std::set<size_t>> partly_sent VARVE_GUARDED_BY(mu);
  bool stopping VARVE_GUARDED_BY(mu) = false;
  std::set<CancelToken*> in_flight VARVE_GUARDED_BY(mu);
  size_t deliverers VARVE_GUARDED_BY(mu) = 0;  // running
  CondVar deliverer_gone;
  int64_t swept_at_ms VARVE_GUARDED_BY(mu) = 0;
  std::vector<std::thread> threads;  // the owner's
};

Delivery Notifier::Impl::Attempt(const DeliveryJob& job, const CancelToken& cancel, int64_t now_ms) const {
  return job.integration->Notify(MakeNotification(job, options.external_url, now_ms), cancel);
}

void Notifier::Impl::Log(const DeliveryJob& job, const Delivery& delivery, int64_t now_ms) const {
  if (options.log == nullptr || delivery.status.code() == Code::kCancelled) return;
  const bool again = !delivery.status.ok() && delivery.retry && job.attempt > 1;
  if (again && job.attempt % kLoggedFailures != 0) return;
  options.log(job.tenant, now_ms, EventLine(job, delivery));
}

void Notifier::Impl::Schedule() {
  const MutexLock lock(mu);
  while (!stopping) {
    const int64_t now_ms = NowMs();
    dispatcher.FlushDue(now_ms);
    if (now_ms - swept_at_ms >= kSweepMs || now_ms < swept_at_ms) {
      swept_at_ms = now_ms;
      dispatcher.Sweep(now_ms);
    }
    const int64_t job_ms = dispatcher.NextJobMs(now_ms);
    if (job_ms <= now_ms) ready.NotifyAll();
    // More flushes are due: others get the lock in between. A job that is due is looked at again, should it be missed.
    const int64_t flush_ms = dispatcher.NextFlushMs();
    const int64_t until_ms = std::min(flush_ms, job_ms <= now_ms ? now_ms + kLookAgainMs : job_ms);
    const int64_t sleep_ms = until_ms <= now_ms ? 1 : std::min(until_ms - now_ms, kSleepMaxMs);
    changed.WaitFor(mu, std::chrono::milliseconds(sleep_ms));
  }
}

void Notifier::Impl::Deliver() {
  mu.Lock();
  while (!stopping) {
    std::optional<DeliveryJob> job = dispatcher.TakeJob(NowMs());
    if (!job.has_value()) {
      ready.Wait(mu);
      continue;
    }
    CancelToken cancel;
    in_flight.insert(&cancel);
    mu.Unlock();
    const Delivery delivery = Attempt(*job, cancel, NowMs());
    const int64_t now_ms = NowMs();
    mu.Lock();
    in_flight.erase(&cancel);
    dispatcher.FinishJob(*job, delivery, now_ms);
    changed.NotifyOne();
    mu.Unlock();
    Log(*job, delivery, now_ms);
    job.reset();
    mu.Lock();
  }
  --deliverers;
  deliverer_gone.NotifyAll();
  mu.Unlock();
}

Notifier::Notifier(RecordStore* records, const Clock* clock, NotifierOptions options)
    : impl_(std::make_unique<Impl>(records, clock, std::move(options))) {}

Notifier::~Notifier() { Stop(0); }

Status Notifier::Load() {
  const MutexLock lock(impl_->mu);
  VARVE_RETURN_IF_ERROR(impl_->silences.Load());
  return impl_->dispatcher.Load(impl_->NowMs());
}

Status Notifier::Configure(const NotifyConfig& config) {
  const IntegrationFactory& given = impl_->options.integrations;
  VARVE_ASSIGN_OR_RETURN(std::shared_ptr<const IntegrationSet> integrations,
                         given != nullptr ? given(config) : MakeIntegrationSet(config));
  const MutexLock lock(impl_->mu);
  impl_->dispatcher.Configure(config, integrations, impl_->NowMs());
  impl_->config = std::make_shared<const NotifyConfig>(config);
  impl_->integrations = std::move(integrations);
  impl_->changed.NotifyOne();
  return Status::Ok();
}

void Notifier::SetExternalUrl(std::string url) { impl_->options.external_url = std::move(url); }

void Notifier::Start() {
  if (!impl_->threads.empty()) return;
  Impl* impl = impl_.get();
  {
    const MutexLock lock(impl->mu);
    impl->stopping = false;
    impl->deliverers = std::max(1u, impl->options.delivery_threads);
  }
  for (uint32_t i = 0; i < std::max(1u, impl->options.delivery_threads); ++i) {
    impl->threads.emplace_back([impl] { impl->Deliver(); });
  }
  impl->threads.emplace_back([impl] { impl->Schedule(); });
}

void Notifier::Stop(int64_t wait_ms) {
  if (impl_->threads.empty()) return;
  {
    const MutexLock lock(impl_->mu);
    impl_->stopping = true;
    impl_->ready.NotifyAll();
    impl_->changed.NotifyAll();
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
    while (impl_->deliverers > 0) {
      const auto left = until - std::chrono::steady_clock::now();
      if (left <= left.zero() || !impl_->deliverer_gone.WaitFor(impl_->mu, left)) break;
    }
    for (CancelToken* cancel : impl_->in_flight) cancel->Cancel();
  }
  for (std::thread& thread : impl_->threads) thread.join();
  impl_->threads.clear();
}

Status Notifier::Post(std::string_view tenant, const std::vector<PostedAlert>& alerts) {
  const MutexLock lock(impl_->mu);
  Status status = impl_->dispatcher.Post(tenant, alerts, impl_->NowMs());
  impl_->changed.NotifyOne();
  return status;
}

std::vector<AlertView> Notifier::Alerts(std::string_view tenant, const AlertFilter& filter) const {
  const MutexLock lock(impl_->mu);
  return impl_->dispatcher.Alerts(tenant, filter, impl_->NowMs());
}

std::vector<AlertGroupView> Notifier::Groups(std::string_view tenant, const AlertFilter& filter) const {
  const MutexLock lock(impl_->mu);
  return impl_->dispatcher.Groups(tenant, filter, impl_->NowMs());
}

std::vector<std::string> Notifier::Receivers() const {
  const MutexLock lock(impl_->mu);
  std::vector<std::string> names;
  if (impl_->config == nullptr) return names;
  for (const ReceiverConfig& receiver : impl_->config->receivers) names.push_back(receiver.name);
  return names;
}

std::optional<NotifyConfig> Notifier::config() const {
  const MutexLock lock(impl_->mu);
  if (impl_->config == nullptr) return std::nullopt;
  return *impl_->config;
}

Result<std::string> Notifier::SetSilence(std::string_view tenant, Silence silence) {
  const MutexLock lock(impl_->mu);
  return impl_->silences.Set(tenant, std::move(silence), impl_->NowMs());
}

Status Notifier::ExpireSilence(std::string_view tenant, std::string_view id) {
  const MutexLock lock(impl_->mu);
  return impl_->silences.Expire(tenant, id, impl_->NowMs());
}

Result<Silence> Notifier::FindSilence(std::string_view tenant, std::string_view id) const {
  const MutexLock lock(impl_->mu);
  return impl_->silences.Find(tenant, id);
}

std::vector<Silence> Notifier::Silences(std::string_view tenant) const {
  const MutexLock lock(impl_->mu);
  return impl_->silences.List(tenant, impl_->NowMs());
}

Delivery Notifier::Send(std::string_view receiver, const Message& message, const CancelToken& cancel) {
  const std::pair<std::string, std::string> which(receiver, message.id);
  std::shared_ptr<const IntegrationSet> integrations;
  std::set<size_t> done;
  {
    const MutexLock lock(impl_->mu);
    integrations = impl_->integrations;
    const auto at = impl_->partly_sent.find(which);
    if (at != impl_->partly_sent.end()) done = at->second;
  }
  const auto missing = [&] {
    return Delivery{NotFound("receiver \"" + which.first + "\" is not configured")};
  };
  if (integrations == nullptr) return missing();
  const auto of_receiver = integrations->by_receiver.find(which.first);
  if (of_receiver == integrations->by_receiver.end()) return missing();
  Delivery first;
  for (size_t i = 0; i < of_receiver->second.size(); ++i) {
    if (done.contains(i)) continue;
    Delivery delivery = of_receiver->second[i]->Send(message, cancel);
    if (delivery.status.ok()) {
      done.insert(i);
    } else if (first.status.ok()) {
      first = std::move(delivery);
    }
  }
  const MutexLock lock(impl_->mu);
  impl_->partly_sent.erase(which);
  if (first.status.ok() || done.empty() || message.id.empty()) return first;
  if (impl_->partly_sent.size() >= kPartlySentMax) impl_->partly_sent.erase(impl_->partly_sent.begin());
  impl_->partly_sent.emplace(which, std::move(done));
  return first;
}

NotifierStats Notifier::Stats() const {
  const MutexLock lock(impl_->mu);
  NotifierStats stats;
  const int64_t now_ms = impl_->NowMs();
  if (impl_->integrations != nullptr) {
    // Those that were never told, too: a counter that begins at 0 shows its first increase.
    for (const auto& [receiver, integrations] : impl_->integrations->by_receiver) {
      for (const auto& integration : integrations) stats.integrations[{receiver, std::string(integration->kind())}];
    }
  }
  impl_->dispatcher.FillStats(&stats, now_ms);
  const SilenceCounts silences = impl_->silences.Counts(now_ms);
  stats.silences_pending = silences.pending;
  stats.silences_active = silences.active;
  stats.silences_expired = silences.expired;
  return stats;
}

void Notifier::RunDue(int64_t now_ms) {
  CancelToken cancel;
  impl_->mu.Lock();
  while (impl_->dispatcher.NextDueMs(now_ms) <= now_ms) {
    impl_->dispatcher.FlushDue(now_ms);
    while (std::optional<DeliveryJob> job = impl_->dispatcher.TakeJob(now_ms)) {
      impl_->mu.Unlock();
      const Delivery delivery = impl_->Attempt(*job, cancel, now_ms);
      impl_->Log(*job, delivery, now_ms);
      impl_->mu.Lock();
      impl_->dispatcher.FinishJob(*job, delivery, now_ms);
    }
  }
  impl_->dispatcher.Sweep(now_ms);
  impl_->mu.Unlock();
}

}  // namespace varve
