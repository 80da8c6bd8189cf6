// Which lane's delivery a thread takes next, so that integrations that hang or fail do not hold up the others.
//
// Lanes wait by channel: an integration of a receiver. A channel has at most 3/8 of the threads; one whose last attempt
// failed, or has been in flight for kSlowMs, has one, and all such channels together at most half of them.
// Threads: thread-compatible; the dispatcher's owner synchronises.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "alerting/notify/delivery_lane.h"

namespace varve {

class DeliveryQueue {
 public:
  static constexpr int64_t kSlowMs = 2'000;
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  explicit DeliveryQueue(uint32_t threads) : threads_(threads == 0 ? 1 : threads) {}

  // Puts the lane where its due time says, or takes it out when it has none.
  void Update(const std::shared_ptr<DeliveryLane>& lane);
  void Remove(const DeliveryLane* lane);

  // The lane that is due longest among those whose channel has a thread left; it is no longer in the queue. Null: none.
  std::shared_ptr<DeliveryLane> Take(int64_t now_ms);
  // When Take may have something: kNever when nothing waits, or only what waits for a thread.
  int64_t NextDueMs(int64_t now_ms) const;

  void AttemptStarted(const std::string& channel, int64_t now_ms);
  void AttemptEnded(const std::string& channel, int64_t started_ms, bool failed);

  size_t size() const { return places_.size(); }
  size_t in_flight() const { return in_flight_; }

 private:
  using Place = std::pair<int64_t, uint64_t>;  // due, order of arrival
  struct Channel {
    std::map<Place, std::shared_ptr<DeliveryLane>> lanes;
    std::multiset<int64_t> started_ms;  // of attempts in flight
    bool failed = false;                // the last attempt did

    bool SlowAt(int64_t now_ms) const {
      return failed || (!started_ms.empty() && now_ms - *started_ms.begin() >= kSlowMs);
    }
  };
  struct Where {
    Channel* channel;
    Place place;
  };
  bool HasThread(const Channel& channel, int64_t now_ms, size_t slow_in_flight) const;
  size_t SlowInFlight(int64_t now_ms) const;

  const size_t threads_;
  std::map<std::string, Channel> channels_;  // never erased: as many as a configuration has integrations
  std::unordered_map<const DeliveryLane*, Where> places_;
  size_t in_flight_ = 0;
  uint64_t arrivals_ = 0;
};

}  // namespace varve
