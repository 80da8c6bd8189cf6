// One client's live tail: the frames that wait for it, and what it missed.
//
//   history ─► live ─► over
// While its history is being read, live frames are held back; then those entries of them that the history
// showed are taken out, so that nothing is missing or repeated at the seam. A client that does not keep up
// first loses entries, which it is told of (`dropped_entries`), and is cut when it takes nothing at all.
// Threads: thread-safe. Ownership: the transport's, or the handler's until the upgrade; the hub knows it
// weakly.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/mutex.h"
#include "http/tail_frame.h"
#include "http/websocket.h"

namespace varve {

struct TailCounters;

class TailSession final : public WebSocketSession {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;
  // As Loki: more is counted, but not listed.
  static constexpr size_t kDroppedMax = 1000;

  struct Options {
    TailForm form = TailForm::kMerged;
    std::string flags_json;  // of "encodingFlags", or ""
    size_t backlog_bytes_max = 1 << 20;
    std::chrono::milliseconds duration_max{3'600'000};
    uint64_t joined_at = 0;  // entries that arrived before are the history's business
  };

  // `leave` is called once, when the session is over or destroyed.
  // `memory` holds what the session itself takes.
  TailSession(Options options, TailCounters* counters, std::unique_ptr<MemoryReservation> memory,
              std::function<void()> leave);
  ~TailSession() override;

  // From the hub's worker: what has just come in. Never waits for the client.
  void Offer(const std::shared_ptr<const TailFrame>& frame) VARVE_EXCLUDES(mu_);
  // Entries that could not be shown.
  void Dropped(int64_t ts_ns, const std::shared_ptr<const std::string>& labels) VARVE_EXCLUDES(mu_);
  // From the handler, once: the history, oldest first, and with it the end of holding back.
  // kResourceExhausted: no memory for what is to be remembered of it.
  Status GoLive(std::vector<std::shared_ptr<const TailFrame>> history) VARVE_EXCLUDES(mu_);

  // How long frames have been waiting for the client; zero when none do.
  std::chrono::nanoseconds StalledFor(SteadyTime now) const VARVE_EXCLUDES(mu_);
  // Turns what waits into dropped entries.
  void DropBacklog() VARVE_EXCLUDES(mu_);
  // Cuts the connection.
  void Abort() VARVE_EXCLUDES(mu_);

  TailForm form() const { return options_.form; }

  void OnOpen(std::shared_ptr<WebSocketLink> link) override VARVE_EXCLUDES(mu_);
  WebSocketNext Next() override VARVE_EXCLUDES(mu_);
  void OnClosed(WebSocketEnd end) override VARVE_EXCLUDES(mu_);

 private:
  enum class Phase { kHistory, kLive, kOver };

  void Queue(std::shared_ptr<const TailFrame> frame) VARVE_REQUIRES(mu_);
  void DropFrame(const TailFrame& frame) VARVE_REQUIRES(mu_);
  void NoteDropped(int64_t ts_ns, const std::shared_ptr<const std::string>& labels) VARVE_REQUIRES(mu_);
  // Without what the client has seen; null when nothing is left.
  std::shared_ptr<const TailFrame> Unseen(const std::shared_ptr<const TailFrame>& frame) VARVE_REQUIRES(mu_);
  std::string DroppedJson() VARVE_REQUIRES(mu_);
  void Leave();

  const Options options_;
  TailCounters* const counters_;
  const SteadyTime begun_;

  mutable Mutex mu_;
  const std::unique_ptr<MemoryReservation> memory_ VARVE_GUARDED_BY(mu_);
  bool may_list_dropped_ VARVE_GUARDED_BY(mu_) = false;  // memory_ has room for the list
  std::function<void()> leave_ VARVE_GUARDED_BY(mu_);
  Phase phase_ VARVE_GUARDED_BY(mu_) = Phase::kHistory;
  std::shared_ptr<WebSocketLink> link_ VARVE_GUARDED_BY(mu_);
  std::deque<std::shared_ptr<const TailFrame>> queue_ VARVE_GUARDED_BY(mu_);
  size_t queue_bytes_ VARVE_GUARDED_BY(mu_) = 0;
  std::vector<uint64_t> history_ VARVE_GUARDED_BY(mu_);  // identities, sorted
  int64_t history_newest_ns_ VARVE_GUARDED_BY(mu_) = std::numeric_limits<int64_t>::min();
  struct DroppedEntry {
    int64_t ts_ns;
    std::shared_ptr<const std::string> labels;
  };
  std::vector<DroppedEntry> dropped_ VARVE_GUARDED_BY(mu_);
  // Since when the client has not asked for more although there is something.
  SteadyTime waiting_since_ VARVE_GUARDED_BY(mu_){};
  bool waiting_ VARVE_GUARDED_BY(mu_) = false;
};

}  // namespace varve
