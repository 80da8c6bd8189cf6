#include "ingest/rate_limits.h"

#include <gtest/gtest.h>

#include "engine/base/time.h"

namespace varve {
namespace {

constexpr double kByte = 1.0 / (1 << 20);

TEST(RateLimits, AreOffByDefault) {
  RateLimits limits(IngestLimits{});
  EXPECT_TRUE(limits.AllowTenantBytes("t", UINT64_MAX, 0));
  EXPECT_TRUE(limits.AllowStreamBytes(1, UINT64_MAX, 0));
  EXPECT_TRUE(limits.AllowStream("t", Labels::FromUnsorted({{"a", "b"}})));
}

TEST(RateLimits, AllowABurstAndThenTheRate) {
  IngestLimits config;
  config.ingestion_rate_mb = 10 * kByte;
  config.ingestion_burst_size_mb = 100 * kByte;
  RateLimits limits(config);
  EXPECT_TRUE(limits.AllowTenantBytes("t", 100, 0));
  EXPECT_FALSE(limits.AllowTenantBytes("t", 1, 0));
  EXPECT_TRUE(limits.AllowTenantBytes("other", 100, 0));
  EXPECT_FALSE(limits.AllowTenantBytes("t", 11, kNsPerSecond));
  EXPECT_TRUE(limits.AllowTenantBytes("t", 10, kNsPerSecond));
  EXPECT_FALSE(limits.AllowTenantBytes("t", 101, 1000 * kNsPerSecond));  // never more than the burst
  EXPECT_TRUE(limits.AllowTenantBytes("t", 100, 1000 * kNsPerSecond));
  EXPECT_FALSE(limits.AllowTenantBytes("t", 1, 0));  // a clock that goes back gives nothing
}

TEST(RateLimits, CountEachStreamAlone) {
  IngestLimits config;
  config.per_stream_rate_limit_mb = 10 * kByte;
  RateLimits limits(config);
  EXPECT_TRUE(limits.AllowStreamBytes(1, 15, 0));  // the burst is one and a half times the rate
  EXPECT_FALSE(limits.AllowStreamBytes(1, 1, 0));
  EXPECT_TRUE(limits.AllowStreamBytes(2, 15, 0));
}

TEST(RateLimits, CountStreamsOfATenant) {
  IngestLimits config;
  config.max_global_streams_per_user = 2;
  RateLimits limits(config);
  const Labels a = Labels::FromUnsorted({{"a", "1"}}), b = Labels::FromUnsorted({{"a", "2"}}),
               c = Labels::FromUnsorted({{"a", "3"}});
  EXPECT_TRUE(limits.AllowStream("t", a));
  EXPECT_TRUE(limits.AllowStream("t", b));
  EXPECT_FALSE(limits.AllowStream("t", c));
  EXPECT_TRUE(limits.AllowStream("t", a));
  EXPECT_TRUE(limits.AllowStream("u", c));
}

}  // namespace
}  // namespace varve
