// What a live tail sends: entries, encoded once and shared by every client that wants the same.
//
// A frame's body is what stands between the brackets of "streams":[…]; around it each client gets its own
// list of dropped entries. The entries' places in the body are kept, so that a frame can be made without some
// of them (those a client has seen already). Threads: a TailFrame is immutable; a TailEncoder belongs to one
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/append_batch.h"
#include "engine/base/memory_budget.h"
#include "engine/base/status.h"
#include "http/row_json.h"
#include "query/logql/row_labels.h"

namespace varve {

// How a client wants its entries.
enum class TailForm : uint8_t {
  kMerged,       // all labels in "stream"
  kCategorized,  // index labels in "stream", the rest as third element of the value
  kLegacy,       // {"labels":"{…}","entries":[{"ts":"…","line":"…"}]}
};

// Names an entry in this process: stream, time, line and metadata, as they were pushed. Two entries with one
// name are the same entry, but for a chance of 2^-64.
uint64_t TailIdentity(StreamOrdinal stream, int64_t ts_ns, std::string_view line, std::string_view metadata);

// One entry, encoded.
struct TailEntry {
  int64_t ts_ns = 0;
  uint64_t identity = 0;
  uint64_t arrival = 0;                       // a number of the hub's; 0 in history
  std::shared_ptr<const std::string> labels;  // how the form names the stream, in JSON
  std::string value;                          // ["<ns>","line"] or what the form has

  int64_t MemoryBytes() const {
    return static_cast<int64_t>(sizeof(*this) + value.size() + labels->size() / 8);
  }
};

class TailFrame {
 public:
  static constexpr size_t kEntriesMax = 100;
  static constexpr size_t kBytesMax = 256 << 10;

  struct Place {
    int64_t ts_ns;
    uint64_t identity;
    uint64_t arrival;
    std::shared_ptr<const std::string> labels;
    uint32_t begin, size;  // of the value in body
  };

  // The entries, in order. kResourceExhausted when `budget` has no room.
  static Result<std::shared_ptr<const TailFrame>> Make(TailForm form, const std::vector<TailEntry>& entries,
                                                       size_t begin, size_t end, MemoryBudget* budget);
  // Without the entries for which `seen` is true; this one when there are none, null when nothing is left.
  // Counts against the same budget, by force: the frame it replaces is on its way out.
  static std::shared_ptr<const TailFrame> Without(const std::shared_ptr<const TailFrame>& frame,
                                                  const std::function<bool(const Place&)>& seen);

  explicit TailFrame(TailForm form, MemoryBudget* budget) : form_(form), budget_(budget) {}
  ~TailFrame() { budget_->Release(bytes_); }
  TailFrame(const TailFrame&) = delete;
  TailFrame& operator=(const TailFrame&) = delete;

  const std::string& body() const { return body_; }
  const std::vector<Place>& places() const { return places_; }
  int64_t bytes() const { return bytes_; }

 private:
  void Add(const Place& place, std::string_view value);
  void Finish();

  const TailForm form_;
  MemoryBudget* const budget_;
  std::string body_;
  std::vector<Place> places_;
  int64_t bytes_ = 0;  // reserved
};

// Cuts [0, entries.size()) into frames: each has at most kEntriesMax entries and, unless it is a single one,
// kBytesMax bytes. Calls fn(begin, end).
void ForEachFrame(const std::vector<TailEntry>& entries, const std::function<void(size_t, size_t)>& fn);

class TailEncoder {
 public:
  explicit TailEncoder(TailForm form) : form_(form) {}

  // The entry that a pipeline has just let through. `stored_metadata` only tells rows with equal labels
  // apart.
  TailEntry Encode(StreamOrdinal stream, int64_t ts_ns, std::string_view line, const logql::RowLabels& labels,
                   std::string_view stored_metadata);

 private:
  const TailForm form_;
  RowLabelWriter writer_;
  std::string scratch_;
  // Rows that follow each other often share their labels' text.
  std::shared_ptr<const std::string> labels_;
  bool reusable_ = false;
  StreamOrdinal labels_stream_ = 0;
  std::string labels_metadata_;
};

}  // namespace varve
