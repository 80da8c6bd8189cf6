#include "alerting/notify/alertmanager_queue.h"

#include <algorithm>
#include <chrono>

#include "alerting/notify/json_object.h"
#include "alerting/notify/notification_data.h"

namespace varve {
namespace {

constexpr int64_t kBackoffMsMin = 1'000;
constexpr int64_t kBackoffMsMax = 30'000;
constexpr std::string_view kSingleTenant = "fake";

void AppendLabels(std::string_view name, const LabelMap& labels, JsonObject* parent, std::string* out) {
  parent->Name(name);
  JsonObject object(out);
  for (const auto& [label, value] : labels) object.Text(label, value);
  object.Close();
}

}  // namespace

std::string AlertsJson(const std::vector<QueuedAlert>& alerts) {
  std::string out = "[";
  for (const QueuedAlert& queued : alerts) {
    if (out.size() > 1) out += ',';
    const PostedAlert& alert = queued.alert;
    JsonObject object(&out);
    AppendLabels("annotations", alert.annotations, &object, &out);
    if (alert.ends_at_ms != 0) object.Text("endsAt", JsonTime(alert.ends_at_ms));
    if (alert.starts_at_ms != 0) object.Text("startsAt", JsonTime(alert.starts_at_ms));
    object.TextUnlessEmpty("generatorURL", alert.generator_url);
    AppendLabels("labels", alert.labels, &object, &out);
    object.Close();
  }
  return out + "]";
}

AlertmanagerQueue::AlertmanagerQueue(AlertmanagerTarget target, ExternalAlertmanagersOptions options,
                                     std::deque<QueuedAlert> waiting, AlertmanagerStats stats)
    : target_(std::move(target)), options_(options), waiting_(std::move(waiting)), stats_(std::move(stats)) {
  stats_.url = target_.url;
  thread_ = std::thread([this] { Run(); });
}

AlertmanagerQueue::~AlertmanagerQueue() {
  EndNow();
  Join();
}

void AlertmanagerQueue::Add(const std::string& tenant, const std::vector<PostedAlert>& alerts) {
  const std::lock_guard lock(mu_);
  for (const PostedAlert& alert : alerts) waiting_.push_back({tenant, alert});
  Trim();
  changed_.notify_all();
}

void AlertmanagerQueue::Trim() {
  while (waiting_.size() > options_.queue_max) {
    waiting_.pop_front();
    ++stats_.dropped;
  }
}

void AlertmanagerQueue::EndNow() {
  cancel_.Cancel();
  const std::lock_guard lock(mu_);
  end_now_ = true;
  changed_.notify_all();
}

void AlertmanagerQueue::EndWhenEmpty() {
  const std::lock_guard lock(mu_);
  end_when_empty_ = true;
  changed_.notify_all();
}

bool AlertmanagerQueue::WaitEnded(int64_t wait_ms) {
  std::unique_lock lock(mu_);
  return changed_.wait_for(lock, std::chrono::milliseconds(std::max<int64_t>(wait_ms, 0)), [this] { return ended_; });
}

void AlertmanagerQueue::Join() {
  if (thread_.joinable()) thread_.join();
}

std::deque<QueuedAlert> AlertmanagerQueue::TakeWaiting() {
  const std::lock_guard lock(mu_);
  return std::move(waiting_);
}

AlertmanagerStats AlertmanagerQueue::Stats() const {
  const std::lock_guard lock(mu_);
  AlertmanagerStats stats = stats_;
  stats.queued = waiting_.size();
  return stats;
}

void AlertmanagerQueue::Run() {
  int64_t backoff_ms = 0;
  std::unique_lock lock(mu_);
  while (!end_now_) {
    if (backoff_ms > 0) {
      changed_.wait_for(lock, std::chrono::milliseconds(backoff_ms), [this] { return end_now_; });
      if (end_now_) break;
    }
    changed_.wait(lock, [this] { return end_now_ || end_when_empty_ || !waiting_.empty(); });
    if (end_now_ || waiting_.empty()) break;
    std::vector<QueuedAlert> batch = TakeBatch();
    lock.unlock();
    const bool done = Send(batch);
    lock.lock();
    backoff_ms = done ? 0 : std::clamp(backoff_ms * 2, kBackoffMsMin, kBackoffMsMax);
    if (!done) PutBack(std::move(batch));
  }
  ended_ = true;
  changed_.notify_all();
}

// Alerts of one tenant.
std::vector<QueuedAlert> AlertmanagerQueue::TakeBatch() {
  std::vector<QueuedAlert> batch;
  while (!waiting_.empty() && batch.size() < options_.batch_max &&
         (batch.empty() || waiting_.front().tenant == batch.front().tenant)) {
    batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return batch;
}

void AlertmanagerQueue::PutBack(std::vector<QueuedAlert> batch) {
  waiting_.insert(waiting_.begin(), std::make_move_iterator(batch.begin()), std::make_move_iterator(batch.end()));
  Trim();
}

bool AlertmanagerQueue::Send(const std::vector<QueuedAlert>& batch) {
  OutgoingRequest request;
  request.url = target_.url + "/api/v2/alerts";
  request.body = AlertsJson(batch);
  request.timeout_ms = target_.timeout_ms;
  HttpClientConfig http = target_.http;
  if (batch.front().tenant != kSingleTenant) http.headers.emplace_back("X-Scope-OrgID", batch.front().tenant);
  const auto began = std::chrono::steady_clock::now();
  const auto reply = SendHttp(request, http, cancel_);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const std::lock_guard lock(mu_);
  stats_.seconds += took.count();
  if (reply.ok() && reply->status / 100 == 2) {
    stats_.sent += batch.size();
    stats_.last_error.clear();
    return true;
  }
  stats_.errors += batch.size();
  stats_.last_error = reply.ok() ? "unexpected status code " + std::to_string(reply->status) : reply.status().message();
  const bool again = reply.ok() ? reply->status / 100 == 5 || reply->status == 429
                                : reply.status().code() != Code::kInvalidArgument;
  if (!again) stats_.dropped += batch.size();
  return !again;
}

}  // namespace varve
