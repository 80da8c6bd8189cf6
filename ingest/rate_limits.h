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
  explicit RateLimits(const IngestLimits& limits);

  // Each takes the tokens if there are enough, and only then is true.
  bool AllowTenantBytes(std::string_view tenant, uint64_t bytes, int64_t now_ns);
  bool AllowStreamBytes(StreamOrdinal stream, uint64_t bytes, int64_t now_ns);
  // Whether the tenant may have this stream: it has it already, or has fewer than the limit.
  bool AllowStream(std::string_view tenant, const Labels& labels);

  bool limits_tenants() const { return tenant_rate_ > 0; }
  bool limits_stream_bytes() const { return stream_rate_ > 0; }
  // Bytes a second.
  uint64_t tenant_rate() const { return static_cast<uint64_t>(tenant_rate_); }
  double stream_rate_mb() const { return stream_rate_ / kMegabyte; }

 private:
  static constexpr double kMegabyte = 1 << 20;
  static constexpr size_t kBucketsMax = 100'000;

  struct Bucket {
    double tokens = 0;
    int64_t updated_ns = 0;
  };
  static bool Take(Bucket* bucket, bool fresh, double rate, double burst, uint64_t bytes, int64_t now_ns);
  void ForgetIdleStreams(int64_t now_ns) VARVE_REQUIRES(mu_);

  // Bytes a second and bytes; constant after construction. 0 = no limit.
  const double tenant_rate_;
  const double tenant_burst_;
  const double stream_rate_;
  const double stream_burst_;
  const uint32_t streams_max_;

  Mutex mu_;
  std::unordered_map<std::string, Bucket> tenants_ VARVE_GUARDED_BY(mu_);
  std::unordered_map<StreamOrdinal, Bucket> streams_ VARVE_GUARDED_BY(mu_);
  std::unordered_map<std::string, std::unordered_set<std::string>> tenant_streams_ VARVE_GUARDED_BY(mu_);
};

}  // namespace varve
