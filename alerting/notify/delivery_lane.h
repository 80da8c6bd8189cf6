// How one integration is told of one group: what it knows, what it has to be told, and the attempts at that.
//
// A lane takes every flush of its group (Offer) and decides by itself whether there is something to tell, so that an
// integration that fails holds up no other: each has its own view of which resolved alerts are still to be told.
//
//   idle ──Offer, something to tell──► waiting (due) ──Begin──► in flight ──Succeed──► idle
//                                         ▲───────────Fail, retry──────┘
//
// A flush that arrives in the meantime replaces what waits; one that arrives in flight is looked at after it.
// Threads: thread-compatible; the dispatcher's owner synchronises.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alerting/notify/notification_log.h"
#include "alerting/notify/notify_records.h"
#include "alerting/notify/stored_alert.h"

namespace varve {

// A group's alerts at a time; immutable.
struct FlushedAlert {
  std::shared_ptr<const PostedAlert> alert;
  uint64_t fingerprint = 0;
  int64_t updated_at_ms = 0;
  bool resolved = false;
};
struct Flush {
  int64_t now_ms = 0;
  std::vector<FlushedAlert> alerts;  // in the order of AlertBefore; muted ones are left out
};

class DeliveryLane;

// What an integration of a receiver was told of a group key. Routes that differ only in their times share it.
struct SentLog {
  SentRecord record;  // its state counts when `told`
  bool told = false;
  bool busy = false;  // a delivery of it is in flight
  std::vector<std::shared_ptr<DeliveryLane>> waiting;  // for that delivery to end
  const SentState* state() const { return told ? &record.state : nullptr; }
};

struct RetryLimits {
  int64_t backoff_min_ms = 500;
  int64_t backoff_max_ms = 60'000;
  int64_t retry_after_max_ms = 3'600'000;  // a receiver that asks for more is asked again after this
};

class DeliveryLane {
 public:
  struct Means {
    std::shared_ptr<SentLog> log;
    size_t integration = 0;  // its place in the receiver
    std::string channel;     // of the delivery queue
    std::string group;       // the dispatcher's key of the group
    std::string receiver, kind;
    bool send_resolved = false;
    int64_t repeat_interval_ms = 0;
    RetryLimits retries;
  };
  explicit DeliveryLane(Means means) : means_(std::move(means)) {}

  // A flush of the group. What it calls for replaces what was to be told.
  void Offer(std::shared_ptr<const Flush> flush);

  // Set while there is something to tell and no attempt is in flight: when it is due.
  std::optional<int64_t> due_ms() const;
  // Looks again whether there is something to tell (another lane of the log may have told it). True: an attempt begins,
  // and `alerts` are what it tells.
  bool Begin(int64_t now_ms, std::vector<FlushedAlert>* alerts);
  // How the attempt ended. Succeed updates the log.
  void Succeed(int64_t now_ms);
  void Fail(int64_t now_ms, bool retry, int64_t retry_after_ms);
  // The attempt did not take place after all.
  void Abandon();

  // Whether the lane has told the end of an alert, or need not.
  bool Settled(const FlushedAlert& alert) const;
  // The group has dropped the alert: it is no longer known as firing. True when the log changed.
  bool Forget(uint64_t fingerprint);

  // Nothing to tell, nothing in flight, nothing given up.
  bool Finished() const { return wanted_ == nullptr && next_ == nullptr && !in_flight_ && !given_up_; }
  bool in_flight() const { return in_flight_; }
  uint32_t attempts() const { return attempts_; }
  // What the log changed to since the last call has to be stored.
  bool TakeLogChanged() { return std::exchange(log_changed_, false); }
  const std::shared_ptr<SentLog>& log() const { return means_.log; }
  const Means& means() const { return means_; }
  const std::string& channel() const { return means_.channel; }

 private:
  void Look(std::shared_ptr<const Flush> flush);
  // Splits what of the flush concerns this lane.
  void Split(const Flush& flush);
  // Whether a resolved alert was told as firing and its end was not.
  bool WantsEnd(const FlushedAlert& alert) const;
  void Settle(const Flush& flush);
  void Record(int64_t now_ms);
  int64_t Backoff() const;

  const Means means_;
  std::shared_ptr<const Flush> wanted_;  // to be told
  std::shared_ptr<const Flush> next_;    // arrived while in flight
  std::vector<uint64_t> firing_, resolved_;  // of wanted_, ascending
  bool in_flight_ = false;
  bool given_up_ = false;  // the last attempt failed for good; the group's next flush tries again
  bool log_changed_ = false;
  uint32_t attempts_ = 0;  // failed ones, of what is to be told
  int64_t due_ms_ = 0;
  // Resolved alerts that need not be told (again), by fingerprint: as of this update.
  std::map<uint64_t, int64_t> settled_;
};

}  // namespace varve
