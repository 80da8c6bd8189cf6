#include "ingest/rate_limits.h"

#include <gtest/gtest.h>

#include "engine/base/time.h"

namespace varve {
namespace {

constexpr double kByte = 1.0 / (1 << 20);

TEST(RateLimits, AreOffByDefault) {
  const IngestLimits config;
  RateLimits limits;
  EXPECT_TRUE(limits.AllowTenantBytes("t", config, UINT64_MAX, 0));
  EXPECT_TRUE(limits.AllowStreamBytes(1, config, UINT64_MAX, 0));
  EXPECT_TRUE(limits.AllowStream("t", config, Labels::FromUnsorted({{"a", "b"}})));
}

TEST(RateLimits, AllowABurstAndThenTheRate) {
  IngestLimits config;
  config.ingestion_rate_mb = 10 * kByte;
  config.ingestion_burst_size_mb = 100 * kByte;
  RateLimits limits;
  EXPECT_TRUE(limits.AllowTenantBytes("t", config, 100, 0));
  EXPECT_FALSE(limits.AllowTenantBytes("t", config, 1, 0));
  EXPECT_TRUE(limits.AllowTenantBytes("other", config, 100, 0));
  EXPECT_FALSE(limits.AllowTenantBytes("t", config, 11, kNsPerSecond));
  EXPECT_TRUE(limits.AllowTenantBytes("t", config, 10, kNsPerSecond));
  EXPECT_FALSE(limits.AllowTenantBytes("t", config, 101, 1000 * kNsPerSecond));  // never more than the burst
  EXPECT_TRUE(limits.AllowTenantBytes("t", config, 100, 1000 * kNsPerSecond));
  EXPECT_FALSE(limits.AllowTenantBytes("t", config, 1, 0));  // a clock that goes back gives nothing
}

TEST(RateLimits, CountEachStreamAlone) {
  IngestLimits config;
  config.per_stream_rate_limit_mb = 10 * kByte;
  RateLimits limits;
  EXPECT_TRUE(limits.AllowStreamBytes(1, config, 15, 0));  // the burst is one and a half times the rate
  EXPECT_FALSE(limits.AllowStreamBytes(1, config, 1, 0));
  EXPECT_TRUE(limits.AllowStreamBytes(2, config, 15, 0));
}

TEST(RateLimits, FollowLimitsThatChange) {
  IngestLimits config;
  config.ingestion_rate_mb = 10 * kByte;
  config.ingestion_burst_size_mb = 10 * kByte;
  RateLimits limits;
  EXPECT_TRUE(limits.AllowTenantBytes("t", config, 10, 0));
  config.ingestion_rate_mb = 1000 * kByte;
  config.ingestion_burst_size_mb = 1000 * kByte;
  EXPECT_FALSE(limits.AllowTenantBytes("t", config, 1, 0)) << "the tokens are not refilled by a reload";
  EXPECT_TRUE(limits.AllowTenantBytes("t", config, 1000, kNsPerSecond));
  config.ingestion_burst_size_mb = 5 * kByte;
  EXPECT_FALSE(limits.AllowTenantBytes("t", config, 6, 100 * kNsPerSecond));
  config.ingestion_rate_mb = 0;
  EXPECT_TRUE(limits.AllowTenantBytes("t", config, UINT64_MAX, 100 * kNsPerSecond));
}

TEST(RateLimits, CountStreamsOfATenant) {
  IngestLimits config;
  config.max_global_streams_per_user = 2;
  RateLimits limits;
  const Labels a = Labels::FromUnsorted({{"a", "1"}}), b = Labels::FromUnsorted({{"a", "2"}}),
               c = Labels::FromUnsorted({{"a", "3"}});
  EXPECT_TRUE(limits.AllowStream("t", config, a));
  EXPECT_TRUE(limits.AllowStream("t", config, b));
  EXPECT_FALSE(limits.AllowStream("t", config, c));
  EXPECT_TRUE(limits.AllowStream("t", config, a));
  EXPECT_TRUE(limits.AllowStream("u", config, c));
}

}  // namespace
}  // namespace varve
