// How long which stream is kept: periods per tenant, and per stream by selectors (Loki's retention_stream).
//
// For a stream decides, first match first: the tenant's own rules, the rules for all tenants, the tenant's
// period, the period for all. Among the rules of one list that match, the highest priority decides, then the
// one that stands first.
// Threads: immutable after construction; shared by everybody who asks.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/model/labels.h"
#include "engine/model/matcher.h"

namespace varve {

struct RetentionStream {
  std::string selector;  // as it was written
  std::vector<Matcher> matchers;
  int64_t priority = 0;
  int64_t period_ns = 0;  // 0 = for ever
};

class RetentionPolicy {
 public:
  struct Tenant {
    std::optional<int64_t> period_ns;  // unset = that for all
    std::vector<RetentionStream> streams;
  };
  using Tenants = std::map<std::string, Tenant, std::less<>>;

  // `period_ns`: 0 = for ever.
  explicit RetentionPolicy(int64_t period_ns, std::vector<RetentionStream> streams = {},
                           Tenants tenants = {});

  // 0 = for ever.
  int64_t PeriodNs(std::string_view tenant, const Labels& labels) const;
  // The period of all of the tenant's streams where they share one; 0 = for ever, nullopt = it depends on
  // labels.
  std::optional<int64_t> TenantPeriodNs(std::string_view tenant) const;
  // The tenant's period, of streams that no rule names.
  int64_t BasePeriodNs(std::string_view tenant) const;
  // That for all tenants and streams without rules of their own.
  int64_t default_period_ns() const { return period_ns_; }
  // Bounds of what PeriodNs can give. `shortest` is 0 when nothing ever expires; `longest` 0 when something
  // is kept for ever.
  int64_t shortest_period_ns() const { return shortest_ns_; }
  int64_t longest_period_ns() const { return longest_ns_; }

  // The retention class of packs for streams of this period: 0 for the default period, else a number that is
  // the same for periods within a factor of about 1.4. It groups what will expire together; what is kept is
  // always decided by the policy of the day.
  uint8_t ClassOf(int64_t period_ns) const;

  // The oldest instant that is kept at `now_ns` under a period.
  static int64_t BeginNs(int64_t period_ns, int64_t now_ns);

 private:
  int64_t period_ns_;
  std::vector<RetentionStream> streams_;  // by descending priority
  Tenants tenants_;                       // streams likewise
  int64_t shortest_ns_ = 0;
  int64_t longest_ns_ = 0;
};

// The policy of the day. Whoever loads the configuration replaces it; the engine, ingest and http ask.
// Threads: thread-safe.
class RetentionSource {
 public:
  explicit RetentionSource(RetentionPolicy policy)
      : policy_(std::make_shared<const RetentionPolicy>(std::move(policy))) {}

  std::shared_ptr<const RetentionPolicy> policy() const VARVE_EXCLUDES(mu_) {
    const ReaderLock lock(mu_);
    return policy_;
  }
  void Replace(RetentionPolicy policy) VARVE_EXCLUDES(mu_) {
    auto shared = std::make_shared<const RetentionPolicy>(std::move(policy));
    const WriterLock lock(mu_);
    policy_ = std::move(shared);
    ++generation_;
  }
  // Counts the calls of Replace.
  uint64_t generation() const VARVE_EXCLUDES(mu_) {
    const ReaderLock lock(mu_);
    return generation_;
  }

 private:
  mutable SharedMutex mu_;
  std::shared_ptr<const RetentionPolicy> policy_ VARVE_GUARDED_BY(mu_);  // never null
  uint64_t generation_ VARVE_GUARDED_BY(mu_) = 0;
};

}  // namespace varve
