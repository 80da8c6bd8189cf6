#include "http/tail_session.h"

#include <algorithm>
#include <utility>

#include "engine/base/json_writer.h"
#include "http/tail_hub.h"

namespace varve {
namespace {

constexpr uint16_t kInternalError = 1011;

}  // namespace

TailSession::TailSession(Options options, TailCounters* counters, std::unique_ptr<MemoryReservation> memory,
                         std::function<void()> leave)
    : options_(std::move(options)),
      counters_(counters),
      begun_(std::chrono::steady_clock::now()),
      memory_(std::move(memory)),
      leave_(std::move(leave)) {}

TailSession::~TailSession() { Leave(); }

void TailSession::Leave() {
  std::function<void()> leave;
  {
    MutexLock lock(mu_);
    leave = std::exchange(leave_, nullptr);
  }
  if (leave) leave();
}

// ---- From the hub -----------------------------------------------------------------------------------

void TailSession::Offer(const std::shared_ptr<const TailFrame>& frame) {
  std::shared_ptr<WebSocketLink> link;
  {
    MutexLock lock(mu_);
    if (phase_ == Phase::kOver) return;
    std::shared_ptr<const TailFrame> unseen = Unseen(frame);
    if (unseen == nullptr) return;
    // An empty queue takes a frame of any size.
    if (!queue_.empty() && queue_bytes_ + unseen->body().size() > options_.backlog_bytes_max) {
      return DropFrame(*unseen);
    }
    Queue(std::move(unseen));
    if (phase_ == Phase::kLive) link = link_;
  }
  if (link != nullptr) link->Wake();
}

void TailSession::Queue(std::shared_ptr<const TailFrame> frame) {
  if (!waiting_) {
    waiting_ = true;
    waiting_since_ = std::chrono::steady_clock::now();
  }
  queue_bytes_ += frame->body().size();
  queue_.push_back(std::move(frame));
}

std::shared_ptr<const TailFrame> TailSession::Unseen(const std::shared_ptr<const TailFrame>& frame) {
  const auto seen = [this](const TailFrame::Place& place) VARVE_NO_THREAD_SAFETY_ANALYSIS {
    return place.arrival < options_.joined_at ||
           (place.ts_ns <= history_newest_ns_ &&
            std::binary_search(history_.begin(), history_.end(), place.identity));
  };
  return TailFrame::Without(frame, seen);
}

Status TailSession::GoLive(std::vector<std::shared_ptr<const TailFrame>> history) {
  std::vector<uint64_t> identities;
  int64_t newest_ns = std::numeric_limits<int64_t>::min();
  for (const auto& frame : history) {
    for (const TailFrame::Place& place : frame->places()) {
      identities.push_back(place.identity);
      newest_ns = std::max(newest_ns, place.ts_ns);
    }
  }
  std::sort(identities.begin(), identities.end());
  std::shared_ptr<WebSocketLink> link;
  {
    MutexLock lock(mu_);
    if (phase_ != Phase::kHistory) return Status::Ok();
    VARVE_RETURN_IF_ERROR(memory_->Add(static_cast<int64_t>(identities.size() * sizeof(uint64_t))));
    phase_ = Phase::kLive;
    history_ = std::move(identities);
    history_newest_ns_ = newest_ns;
    std::deque<std::shared_ptr<const TailFrame>> held;
    held.swap(queue_);
    queue_bytes_ = 0;
    for (auto& frame : history) Queue(std::move(frame));
    for (const auto& frame : held) {
      if (std::shared_ptr<const TailFrame> unseen = Unseen(frame)) Queue(std::move(unseen));
    }
    link = link_;
  }
  if (link != nullptr) link->Wake();
  return Status::Ok();
}

// ---- What is lost -----------------------------------------------------------------------------------

void TailSession::NoteDropped(int64_t ts_ns, const std::shared_ptr<const std::string>& labels) {
  counters_->entries_dropped.fetch_add(1, std::memory_order_relaxed);
  if (!may_list_dropped_) {
    may_list_dropped_ = memory_->Add(static_cast<int64_t>(kDroppedMax * sizeof(DroppedEntry))).ok();
    if (!may_list_dropped_) return;
  }
  if (dropped_.size() < kDroppedMax) dropped_.push_back({ts_ns, labels});
}

void TailSession::DropFrame(const TailFrame& frame) {
  for (const TailFrame::Place& place : frame.places()) NoteDropped(place.ts_ns, place.labels);
}

void TailSession::Dropped(int64_t ts_ns, const std::shared_ptr<const std::string>& labels) {
  MutexLock lock(mu_);
  if (phase_ != Phase::kOver) NoteDropped(ts_ns, labels);
}

void TailSession::DropBacklog() {
  MutexLock lock(mu_);
  for (const auto& frame : queue_) DropFrame(*frame);
  queue_.clear();
  queue_bytes_ = 0;
}

std::chrono::nanoseconds TailSession::StalledFor(SteadyTime now) const {
  MutexLock lock(mu_);
  return waiting_ && phase_ == Phase::kLive ? now - waiting_since_ : std::chrono::nanoseconds(0);
}

void TailSession::Abort() {
  std::shared_ptr<WebSocketLink> link;
  {
    MutexLock lock(mu_);
    link = link_;
  }
  if (link != nullptr) link->Abort();
}

// ---- From the connection ----------------------------------------------------------------------------

void TailSession::OnOpen(std::shared_ptr<WebSocketLink> link) {
  MutexLock lock(mu_);
  link_ = std::move(link);
}

// [{"timestamp":"<ns>","labels":{…}}], or null.
std::string TailSession::DroppedJson() {
  if (dropped_.empty()) return "null";
  std::string out;
  for (const DroppedEntry& entry : dropped_) {
    out.append(out.empty() ? "[{\"timestamp\":\"" : ",{\"timestamp\":\"");
    AppendInt(&out, entry.ts_ns);
    out.append("\",\"labels\":").append(*entry.labels).push_back('}');
  }
  dropped_ = {};
  out.push_back(']');
  return out;
}

WebSocketNext TailSession::Next() {
  MutexLock lock(mu_);
  const SteadyTime now = std::chrono::steady_clock::now();
  if (now - begun_ >= options_.duration_max) {
    // Loki's words: clients look for them and connect again.
    return WebSocketClose{kInternalError, "reached tail max duration limit"};
  }
  if (phase_ != Phase::kLive || (queue_.empty() && dropped_.empty())) {
    waiting_ = false;
    return WebSocketNothing{};
  }
  // The client has taken everything before, and is to take this.
  waiting_ = true;
  waiting_since_ = now;
  WebSocketMessage message;
  message.before = "{\"streams\":[";
  if (!queue_.empty()) {
    const std::shared_ptr<const TailFrame> frame = std::move(queue_.front());
    queue_.pop_front();
    queue_bytes_ -= frame->body().size();
    counters_->entries_sent.fetch_add(frame->places().size(), std::memory_order_relaxed);
    message.shared = std::shared_ptr<const std::string>(frame, &frame->body());
  }
  message.after = "],\"dropped_entries\":" + DroppedJson();
  if (!options_.flags_json.empty()) message.after.append(",\"encodingFlags\":").append(options_.flags_json);
  message.after.push_back('}');
  return message;
}

void TailSession::OnClosed(WebSocketEnd end) {
  {
    MutexLock lock(mu_);
    phase_ = Phase::kOver;
    link_.reset();
    queue_.clear();
    queue_bytes_ = 0;
    dropped_.clear();
    history_ = {};
  }
  if (end == WebSocketEnd::kStalled) counters_->slow_clients_closed.fetch_add(1, std::memory_order_relaxed);
  Leave();
}

}  // namespace varve
