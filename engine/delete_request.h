// A request to delete entries, as it is stored and listed.
//
// Bytes on disk: docs/format.md, "Delete request". Threads: a value.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "engine/base/time.h"

namespace varve {

struct DeleteRequest {
  enum class State : uint8_t {
    kReceived = 0,   // its entries are hidden; it can be cancelled
    kRemoving = 1,   // compaction has begun to remove them
    kProcessed = 2,  // they are gone; the request hides nothing any more
    kCancelled = 3,  // hides nothing, is not listed
  };

  uint64_t number = 0;  // ascending in order of arrival; never used again
  std::string id;       // what the API calls it; unique
  std::string tenant;
  std::string query;
  int64_t start_ns = 0;
  int64_t end_ns = 0;  // inclusive
  int64_t created_ns = 0;
  // It covers the packs whose origin (PackSummary::origin) is not above this number.
  uint64_t through = 0;
  State state = State::kReceived;
  int64_t processed_ns = 0;  // of kProcessed and kCancelled: when
  // Drawn like `number`, anew when the request is cancelled: the greatest of a tenant is its generation.
  uint64_t changed = 0;
  // Of kRemoving: the packs that were concerned when removing began.
  uint64_t packs_concerned = 0;
  // Not stored: those of them that still are.
  uint64_t packs_left = 0;

  // The span it covers, as a half-open range.
  TimeRange range() const {
    constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
    return {.begin_ns = start_ns, .end_ns = end_ns == kMax ? kMax : end_ns + 1};
  }
  bool hides_rows() const { return state == State::kReceived || state == State::kRemoving; }
  bool operator==(const DeleteRequest&) const = default;
};

std::string EncodeDeleteRequest(const DeleteRequest& request);
// kCorruption when the bytes are not what EncodeDeleteRequest writes.
Result<DeleteRequest> DecodeDeleteRequest(std::string_view bytes);

// Of kRemoving: how much is done, 0 to 99.
uint32_t PercentDone(const DeleteRequest& request);

}  // namespace varve
