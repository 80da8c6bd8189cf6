// Changes of records that are written together. What could not be written stays, and goes with the next write.
//
// Threads: thread-compatible.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/record_store.h"

namespace varve {

class RecordBatch {
 public:
  void Put(std::string key, std::string value) { changes_.insert_or_assign(std::move(key), std::move(value)); }
  void Remove(std::string key) { changes_.insert_or_assign(std::move(key), std::nullopt); }
  // Somebody else has written it since.
  void Forget(const std::string& key) { changes_.erase(key); }

  Status WriteTo(RecordStore* records) {
    if (changes_.empty()) return Status::Ok();
    std::vector<RecordStore::Record> put;
    std::vector<std::string> removed;
    for (const auto& [key, value] : changes_) {
      if (value.has_value()) {
        put.push_back({key, *value});
      } else {
        removed.push_back(key);
      }
    }
    Status status = records->WriteRecords(put, removed);
    if (status.ok()) changes_.clear();
    return status;
  }

 private:
  std::map<std::string, std::optional<std::string>> changes_;
};

}  // namespace varve
