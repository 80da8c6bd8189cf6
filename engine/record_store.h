// Small durable facts of parts beside the engine (rules, alerts, silences, reports…), opaque to it: Engine::records()
// has them, and the engine's own parts keep theirs here too.
//
// Keys begin with the part's name and a slash ("alerts/…"). Meant for thousands of records of kilobytes.
// Threads: thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace varve {

class RecordStore {
 public:
  struct Record {
    std::string key;
    std::string value;
  };
  virtual ~RecordStore() = default;

  // One call is one step: all or nothing. Survives kill -9 when it returns; durable no later than any journal
  // record appended after it returns.
  virtual Status WriteRecords(const std::vector<Record>& put, const std::vector<std::string>& removed) = 0;
  // Ascending by key; `fn` gets the whole key.
  virtual Status ForEachRecord(std::string_view prefix,
                               const std::function<Status(std::string_view key, std::string_view value)>& fn) const = 0;
};

}  // namespace varve
