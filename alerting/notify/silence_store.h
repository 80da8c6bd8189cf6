// The silences of all tenants: set, expired, kept for a while after, asked which of them take an alert.
//
// Every change is in the record store before it counts. Meanings and texts of errors are Alertmanager's.
// Threads: thread-compatible; the notifier synchronises.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/notify/silence.h"
#include "alerting/notify/stored_alert.h"
#include "engine/base/status.h"
#include "engine/record_store.h"

namespace varve {

// A silence as stored; a larger one is refused.
inline constexpr size_t kSilenceBytesMax = 64 << 10;

struct SilenceCounts {
  uint64_t pending = 0, active = 0, expired = 0;
};

class SilenceStore {
 public:
  SilenceStore(RecordStore* records, uint32_t per_tenant_max, int64_t retention_ms)
      : records_(records), per_tenant_max_(per_tenant_max), retention_ms_(retention_ms) {}

  Status Load();
  // The id: a new one, unless an existing silence can be changed without changing what it has silenced already.
  // kNotFound, kInvalidArgument, kResourceExhausted.
  Result<std::string> Set(std::string_view tenant, Silence silence, int64_t now_ms);
  Status Expire(std::string_view tenant, std::string_view id, int64_t now_ms);
  Result<Silence> Find(std::string_view tenant, std::string_view id) const;
  // As the API lists them: active ones by end, pending ones by start, expired ones latest first.
  std::vector<Silence> List(std::string_view tenant, int64_t now_ms) const;

  // Ids of the active silences that take the labels. `match` is the alert's, so that only new silences are matched.
  std::vector<std::string> Silencing(std::string_view tenant, const LabelMap& labels, int64_t now_ms,
                                     SilenceMatch* match) const;

  // Forgets silences that ended longer than the retention ago.
  Status Sweep(int64_t now_ms);
  SilenceCounts Counts(int64_t now_ms) const;

 private:
  struct Entry {
    Silence silence;
    std::vector<Matcher> cheap_first;  // the silence's matchers, those without a regular expression in front
    uint64_t version = 0;
  };
  struct Tenant {
    std::map<std::string, Entry, std::less<>> by_id;
    std::map<uint64_t, std::string> by_version;
  };
  void Put(Tenant* tenant, Silence silence);

  RecordStore* const records_;
  const size_t per_tenant_max_;
  const int64_t retention_ms_;
  std::map<std::string, Tenant, std::less<>> tenants_;
  uint64_t version_ = 0;  // of the last change
};

}  // namespace varve
