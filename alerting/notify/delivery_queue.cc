#include "alerting/notify/delivery_queue.h"

#include <algorithm>

namespace varve {

void DeliveryQueue::Update(const std::shared_ptr<DeliveryLane>& lane) {
  const auto due_ms = lane->due_ms();
  const auto at = places_.find(lane.get());
  if (at != places_.end() && due_ms.has_value() && at->second.place.first == *due_ms) return;
  Remove(lane.get());
  if (!due_ms.has_value()) return;
  Channel& channel = channels_[lane->channel()];
  const Place place(*due_ms, arrivals_++);
  channel.lanes.emplace(place, lane);
  places_.emplace(lane.get(), Where{&channel, place});
}

void DeliveryQueue::Remove(const DeliveryLane* lane) {
  const auto at = places_.find(lane);
  if (at == places_.end()) return;
  const Where where = at->second;
  places_.erase(at);
  where.channel->lanes.erase(where.place);
}

size_t DeliveryQueue::SlowInFlight(int64_t now_ms) const {
  size_t count = 0;
  for (const auto& [name, channel] : channels_) {
    if (channel.SlowAt(now_ms)) count += channel.started_ms.size();
  }
  return count;
}

bool DeliveryQueue::HasThread(const Channel& channel, int64_t now_ms, size_t slow_in_flight) const {
  if (in_flight_ >= threads_) return false;
  if (channel.SlowAt(now_ms)) {
    return channel.started_ms.empty() && slow_in_flight < std::max<size_t>(1, threads_ / 2);
  }
  return channel.started_ms.size() < std::max<size_t>(1, threads_ * 3 / 8);
}

std::shared_ptr<DeliveryLane> DeliveryQueue::Take(int64_t now_ms) {
  const size_t slow_in_flight = SlowInFlight(now_ms);
  Channel* best = nullptr;
  for (auto& [name, channel] : channels_) {
    if (channel.lanes.empty() || channel.lanes.begin()->first.first > now_ms) continue;
    if (best != nullptr && best->lanes.begin()->first < channel.lanes.begin()->first) continue;
    if (HasThread(channel, now_ms, slow_in_flight)) best = &channel;
  }
  if (best == nullptr) return nullptr;
  std::shared_ptr<DeliveryLane> lane = best->lanes.begin()->second;
  Remove(lane.get());
  return lane;
}

int64_t DeliveryQueue::NextDueMs(int64_t now_ms) const {
  const size_t slow_in_flight = SlowInFlight(now_ms);
  int64_t due_ms = kNever;
  for (const auto& [name, channel] : channels_) {
    if (channel.lanes.empty() || !HasThread(channel, now_ms, slow_in_flight)) continue;
    due_ms = std::min(due_ms, channel.lanes.begin()->first.first);
  }
  return due_ms;
}

void DeliveryQueue::AttemptStarted(const std::string& channel, int64_t now_ms) {
  channels_[channel].started_ms.insert(now_ms);
  ++in_flight_;
}

void DeliveryQueue::AttemptEnded(const std::string& channel, int64_t started_ms, bool failed) {
  Channel& at = channels_[channel];
  const auto started = at.started_ms.find(started_ms);
  if (started == at.started_ms.end()) return;
  at.started_ms.erase(started);
  --in_flight_;
  at.failed = failed;
}

}  // namespace varve
