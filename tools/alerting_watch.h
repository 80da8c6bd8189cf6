// Looks after rules and notifications: stores the lines of their events, and says in our own log what fails, a few lines
// every kLogInterval, however much fails.
//
// Threads: thread-safe, except that Start and Stop are the owner's; it has a thread of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/mutex.h"
#include "engine/base/thread_pool.h"
#include "http/http_server.h"
#include "tools/event_log.h"

namespace varve {

class AlertingWatch {
 public:
  static constexpr std::chrono::milliseconds kFlushInterval{500};
  static constexpr std::chrono::milliseconds kLogInterval{15'000};
  static constexpr size_t kLinesMax = 5;  // of a kind, in an interval

  // All must outlive this.
  AlertingWatch(AlertingParts parts, EventLog* events) : parts_(parts), events_(events) {}
  ~AlertingWatch();  // stops

  void Start();
  // Stores what is left.
  void Stop();

  void ReportFailed(std::string_view report, std::string_view text) VARVE_EXCLUDES(mu_);

 private:
  void Run();
  void LogFailures() VARVE_EXCLUDES(mu_);
  void LogRules();
  void LogReceivers();
  void LogExternal();

  const AlertingParts parts_;
  EventLog* const events_;
  // Of the thread alone: what was told before.
  uint64_t rule_failures_ = 0;
  uint64_t event_failures_ = 0;
  std::map<std::string, uint64_t> receiver_failures_, external_failures_;

  Mutex mu_;
  CondVar wake_;
  bool stopping_ VARVE_GUARDED_BY(mu_) = false;
  size_t report_lines_ VARVE_GUARDED_BY(mu_) = 0;
  std::unique_ptr<ThreadPool> thread_;
};

}  // namespace varve
