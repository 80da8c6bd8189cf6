#include "ingest/rate_limits.h"

#include <algorithm>

#include "engine/base/time.h"

namespace varve {
namespace {

// A burst that is not set is one and a half times the rate, the ratio of Loki's defaults.
double BurstOr(double burst, double rate) { return burst > 0 ? burst : rate * 1.5; }

}  // namespace

bool RateLimits::Take(Bucket* bucket, bool fresh, double rate, double burst_or_zero, uint64_t tokens,
                      int64_t now_ns) {
  const double burst = BurstOr(burst_or_zero, rate);
  if (fresh) {
    bucket->tokens = burst;
  } else {
    const int64_t elapsed_ns = std::max<int64_t>(0, now_ns - bucket->updated_ns);
    bucket->tokens = std::min(
        burst, bucket->tokens + rate * static_cast<double>(elapsed_ns) / static_cast<double>(kNsPerSecond));
  }
  bucket->updated_ns = now_ns;
  bucket->refill_ns = static_cast<int64_t>(std::min(burst / rate, 1e9) * static_cast<double>(kNsPerSecond));
  if (static_cast<double>(tokens) > bucket->tokens) return false;
  bucket->tokens -= static_cast<double>(tokens);
  return true;
}

bool RateLimits::AllowTenantBytes(std::string_view tenant, const IngestLimits& limits, uint64_t bytes,
                                  int64_t now_ns) {
  if (limits.ingestion_rate_mb <= 0) return true;
  MutexLock lock(mu_);
  const auto [it, fresh] = tenants_.try_emplace(std::string(tenant));
  return Take(&it->second, fresh, limits.ingestion_rate_mb * kMegabyte, limits.ingestion_burst_size_mb * kMegabyte,
              bytes, now_ns);
}

bool RateLimits::AllowTenantSamples(std::string_view tenant, const IngestLimits& limits, uint64_t samples,
                                    int64_t now_ns) {
  if (limits.ingestion_rate_samples <= 0) return true;
  MutexLock lock(mu_);
  const auto [it, fresh] = tenant_samples_.try_emplace(std::string(tenant));
  return Take(&it->second, fresh, limits.ingestion_rate_samples, limits.ingestion_burst_size_samples, samples,
              now_ns);
}

bool RateLimits::AllowStreamBytes(StreamOrdinal stream, const IngestLimits& limits, uint64_t bytes,
                                  int64_t now_ns) {
  if (limits.per_stream_rate_limit_mb <= 0) return true;
  MutexLock lock(mu_);
  if (streams_.size() >= kBucketsMax) ForgetIdleStreams(now_ns);
  const auto [it, fresh] = streams_.try_emplace(stream);
  return Take(&it->second, fresh, limits.per_stream_rate_limit_mb * kMegabyte,
              limits.per_stream_rate_limit_burst_mb * kMegabyte, bytes, now_ns);
}

// A bucket that is full again and one that does not exist behave the same.
void RateLimits::ForgetIdleStreams(int64_t now_ns) {
  std::erase_if(streams_,
                [&](const auto& item) { return now_ns - item.second.updated_ns > item.second.refill_ns; });
}

bool RateLimits::AllowStream(std::string_view tenant, const IngestLimits& limits, const Labels& labels) {
  const uint32_t streams_max = limits.max_global_streams_per_user;
  if (streams_max == 0) return true;
  MutexLock lock(mu_);
  std::unordered_set<std::string>& known = tenant_streams_[std::string(tenant)];
  std::string canonical = labels.Canonical();
  if (known.contains(canonical)) return true;
  if (known.size() >= streams_max) return false;
  known.insert(std::move(canonical));
  return true;
}

}  // namespace varve
