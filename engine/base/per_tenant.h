// One value for every tenant, and other ones for some: limits, say. Replaced as a whole while others read.
//
//   const std::shared_ptr<const QueryLimits> limits = table.Of("team-a");   // holds still while a request
//   runs
//
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/mutex.h"

namespace varve {

template <typename T>
class PerTenant {
 public:
  using Overrides = std::map<std::string, std::shared_ptr<const T>, std::less<>>;

  explicit PerTenant(T defaults = T()) : defaults_(std::make_shared<const T>(std::move(defaults))) {}

  // The tenant's own value, or the default. Tenants without one of their own share one object.
  std::shared_ptr<const T> Of(std::string_view tenant) const VARVE_EXCLUDES(mu_) {
    const ReaderLock lock(mu_);
    const auto own = overrides_.find(tenant);
    return own == overrides_.end() ? defaults_ : own->second;
  }

  void Replace(T defaults, Overrides overrides) VARVE_EXCLUDES(mu_) {
    auto shared = std::make_shared<const T>(std::move(defaults));
    const WriterLock lock(mu_);
    defaults_ = std::move(shared);
    overrides_ = std::move(overrides);
    ++generation_;
  }

  // Counts the calls of Replace: what was derived from values may be thrown away when it changes.
  uint64_t generation() const VARVE_EXCLUDES(mu_) {
    const ReaderLock lock(mu_);
    return generation_;
  }

 private:
  mutable SharedMutex mu_;
  std::shared_ptr<const T> defaults_ VARVE_GUARDED_BY(mu_);  // never null
  Overrides overrides_ VARVE_GUARDED_BY(mu_);
  uint64_t generation_ VARVE_GUARDED_BY(mu_) = 0;
};

}  // namespace varve
