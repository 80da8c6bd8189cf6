// One Alertmanager elsewhere: what waits for it, and the thread that sends it.
//
// Threads: thread-safe; Join is the owner's.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "alerting/notify/external_alertmanagers.h"
#include "engine/base/cancel.h"

namespace varve {

struct QueuedAlert {
  std::string tenant;
  PostedAlert alert;
};

// The body of POST /api/v2/alerts.
std::string AlertsJson(const std::vector<QueuedAlert>& alerts);

class AlertmanagerQueue {
 public:
  // Begins with what waited for its predecessor, and its counts.
  AlertmanagerQueue(AlertmanagerTarget target, ExternalAlertmanagersOptions options, std::deque<QueuedAlert> waiting,
                    AlertmanagerStats stats);
  ~AlertmanagerQueue();
  AlertmanagerQueue(const AlertmanagerQueue&) = delete;
  AlertmanagerQueue& operator=(const AlertmanagerQueue&) = delete;

  void Add(const std::string& tenant, const std::vector<PostedAlert>& alerts);
  // Tells the thread to end: at once (a request under way is cancelled), or when the queue is empty.
  void EndNow();
  void EndWhenEmpty();
  // False when the thread still runs after `wait_ms`.
  bool WaitEnded(int64_t wait_ms);
  // After EndNow: waits for the thread.
  void Join();
  // After Join: hands over what was not sent.
  std::deque<QueuedAlert> TakeWaiting();

  const std::string& url() const { return target_.url; }
  AlertmanagerStats Stats() const;

 private:
  void Run();
  std::vector<QueuedAlert> TakeBatch();
  // Sends without the lock; false: it has to be tried again.
  bool Send(const std::vector<QueuedAlert>& batch);
  void PutBack(std::vector<QueuedAlert> batch);
  void Trim();

  const AlertmanagerTarget target_;
  const ExternalAlertmanagersOptions options_;
  CancelToken cancel_;
  mutable std::mutex mu_;
  std::condition_variable changed_;
  std::deque<QueuedAlert> waiting_;  // below: guarded by mu_
  AlertmanagerStats stats_;
  bool end_now_ = false, end_when_empty_ = false, ended_ = false;
  std::thread thread_;
};

}  // namespace varve
