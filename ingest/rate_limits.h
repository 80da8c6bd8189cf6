// Token buckets for the limits on bytes a second, and the count of streams: all off unless configured.
//
// Threads: thread-safe (one lock; taken only where a limit is set).
// Memory: one bucket for each tenant, and for each stream where per_stream_rate_limit_mb is set; beyond
// kBucketsMax streams, buckets that must be full again are forgotten.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "engine/append_batch.h"
#include "engine/base/mutex.h"
#include "engine/model/labels.h"
#include "ingest/limits.h"

namespace varve {

class RateLimits {
 public:
  static constexpr double kMegabyte = 1 << 20;

  // Each takes the tokens if there are enough, and only then is true. `limits` are the tenant's of the
  // moment; where they have changed, the tokens there are go on counting, up to the new burst.
  bool AllowTenantBytes(std::string_view tenant, const IngestLimits& limits, uint64_t bytes, int64_t now_ns);
  // Samples of metrics; a bucket of its own.
  bool AllowTenantSamples(std::string_view tenant, const IngestLimits& limits, uint64_t samples, int64_t now_ns);
  bool AllowStreamBytes(StreamOrdinal stream, const IngestLimits& limits, uint64_t bytes, int64_t now_ns);
  // Whether the tenant may have this stream: it has it already, or has fewer than the limit.
  bool AllowStream(std::string_view tenant, const IngestLimits& limits, const Labels& labels);

 private:
  static constexpr size_t kBucketsMax = 100'000;

  struct Bucket {
    double tokens = 0;
    int64_t updated_ns = 0;
    int64_t refill_ns = 0;  // from empty to full
  };
  // `rate` and `burst` (0: one and a half times the rate) in tokens.
  static bool Take(Bucket* bucket, bool fresh, double rate, double burst, uint64_t tokens, int64_t now_ns);
  void ForgetIdleStreams(int64_t now_ns) VARVE_REQUIRES(mu_);

  Mutex mu_;
  std::unordered_map<std::string, Bucket> tenants_ VARVE_GUARDED_BY(mu_);
  std::unordered_map<std::string, Bucket> tenant_samples_ VARVE_GUARDED_BY(mu_);
  std::unordered_map<StreamOrdinal, Bucket> streams_ VARVE_GUARDED_BY(mu_);
  std::unordered_map<std::string, std::unordered_set<std::string>> tenant_streams_ VARVE_GUARDED_BY(mu_);
};

}  // namespace varve
