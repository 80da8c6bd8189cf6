#include "tools/alerting_watch.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <vector>

#include "alerting/notify/external_alertmanagers.h"
#include "alerting/notify/notifier.h"
#include "alerting/rules/ruler.h"

namespace varve {
namespace {

// A value for the log: on one line it stands between quotes, so it may hold neither.
std::string Loggable(std::string_view text) {
  constexpr size_t kShownMax = 500;
  std::string value(text.substr(0, kShownMax));
  for (char& c : value) {
    if (c == '"') c = '\'';
    if (c == '\n' || c == '\r') c = ' ';
  }
  return value;
}

}  // namespace

AlertingWatch::~AlertingWatch() { Stop(); }

void AlertingWatch::Start() {
  thread_ = std::make_unique<ThreadPool>("alert-watch", 1);
  // The queue is empty: it is taken.
  if (!thread_->TrySubmit([this] { Run(); })) return;
}

void AlertingWatch::Stop() {
  if (thread_ == nullptr) return;
  {
    const MutexLock lock(mu_);
    stopping_ = true;
    wake_.NotifyAll();
  }
  thread_.reset();
  LogFailures();
  if (const Status flushed = events_->Flush(); !flushed.ok()) {
    spdlog::warn("msg=\"events of alerts not stored\" error=\"{}\"", Loggable(flushed.message()));
  }
}

void AlertingWatch::ReportFailed(std::string_view report, std::string_view text) {
  const MutexLock lock(mu_);
  if (++report_lines_ > kLinesMax) return;
  spdlog::warn("msg=\"report failed\" report=\"{}\" error=\"{}\"", Loggable(report), Loggable(text));
}

void AlertingWatch::Run() {
  auto logged = std::chrono::steady_clock::now();
  for (;;) {
    {
      const MutexLock lock(mu_);
      if (!stopping_) wake_.WaitFor(mu_, kFlushInterval);
      if (stopping_) return;
    }
    if (const Status flushed = events_->Flush(); !flushed.ok() && ++event_failures_ % 100 == 1) {
      spdlog::warn("msg=\"events of alerts not stored\" error=\"{}\"", Loggable(flushed.message()));
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - logged < kLogInterval) continue;
    logged = now;
    LogFailures();
  }
}

void AlertingWatch::LogFailures() {
  LogRules();
  LogReceivers();
  LogExternal();
  const MutexLock lock(mu_);
  if (report_lines_ > kLinesMax) spdlog::warn("msg=\"more reports failed\" failures={}", report_lines_ - kLinesMax);
  report_lines_ = 0;
}

void AlertingWatch::LogRules() {
  const RulerStats stats = parts_.ruler->Stats();
  const uint64_t failures = stats.evaluation_failures + stats.write_failures + stats.state_write_failures;
  const uint64_t fresh = failures - rule_failures_;
  rule_failures_ = failures;
  if (fresh == 0) return;
  size_t lines = 0;
  for (const GroupSummary& group : parts_.ruler->Summaries()) {
    if (group.failing_rules == 0 || ++lines > kLinesMax) continue;
    spdlog::warn("msg=\"rule failed\" tenant=\"{}\" file=\"{}\" group=\"{}\" rule=\"{}\" failing_rules={} error=\"{}\"",
                 Loggable(group.tenant), Loggable(group.file), Loggable(group.name), Loggable(group.failing_rule),
                 group.failing_rules, Loggable(group.error));
  }
  spdlog::warn("msg=\"rules failed\" failures={}", fresh);
}

void AlertingWatch::LogReceivers() {
  size_t lines = 0;
  for (const auto& [which, stats] : parts_.notifier->Stats().integrations) {
    uint64_t& before = receiver_failures_[which.first + '\n' + which.second];
    const uint64_t fresh = stats.failures - std::min(before, stats.failures);
    before = stats.failures;
    if (fresh == 0 || ++lines > kLinesMax) continue;
    spdlog::warn("msg=\"notifications failed\" receiver=\"{}\" integration={} failures={} "
                 "more=\"the reasons are in the stream job=varve-alerts\"",
                 Loggable(which.first), which.second, fresh);
  }
}

void AlertingWatch::LogExternal() {
  size_t lines = 0;
  for (const AlertmanagerStats& stats : parts_.external->Stats()) {
    uint64_t& before = external_failures_[stats.url];
    const uint64_t failures = stats.errors + stats.dropped;
    const uint64_t fresh = failures - std::min(before, failures);
    before = failures;
    if (fresh == 0 || ++lines > kLinesMax) continue;
    spdlog::warn("msg=\"alerts not sent to an Alertmanager\" url=\"{}\" alerts={} error=\"{}\"", Loggable(stats.url), fresh,
                 Loggable(stats.last_error));
  }
}

}  // namespace varve
