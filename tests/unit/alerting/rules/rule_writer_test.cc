#include "alerting/rules/rule_writer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/memory_engine.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

constexpr int64_t kNowMs = 1'790'000'000'000;

PackedLabels Series(const std::string& name, size_t value_bytes) {
  return PackedLabels::FromUnsorted({{"__name__", name}, {"big", std::string(value_bytes, 'x')}});
}

IngestLimits AnyAge() {
  IngestLimits limits;
  limits.reject_old_samples = false;
  limits.creation_grace_period_ms = INT64_C(100) * 365 * 86'400'000;
  return limits;
}

TEST(RuleWriter, WritesMoreSamplesThanOneRequestMayHold) {
  testing::MemoryEngine engine;
  IngestLimits limits = AnyAge();
  limits.max_metrics_decompressed_size = 9 << 20;
  WritePath writes(&engine, limits);
  SampleBatch batch;
  for (int i = 0; i < 400; ++i) batch.AddFloat(Series("m" + std::to_string(i), 60'000), kNowMs, 1);
  ASSERT_EQ(batch.bodies().size(), 3U);
  const SampleWrite write = WriteSamples(writes.metrics(), "fake", batch);
  EXPECT_OK(write.status);
  EXPECT_FALSE(write.refused);
  EXPECT_EQ(write.written, 400U);
}

TEST(RuleWriter, WritesAllLinesButThoseThatAreRefusedForGood) {
  testing::MemoryEngine engine;
  WritePath writes(&engine, AnyAge());
  std::vector<TimedLine> lines;
  for (int i = 0; i < 20; ++i) lines.push_back({kNowMs + i, std::string(900'000, 'l')});
  lines[3].line = std::string(2 << 20, 'l');  // longer than limits.max_line_size
  const LineWrite write = WriteLines(&writes, "fake", "varve-alerts", lines);
  EXPECT_FALSE(write.status.ok());
  EXPECT_EQ(write.done, lines.size());
  EXPECT_EQ(writes.Stats().requests, 3U);
}

TEST(RuleWriter, KeepsLinesThatMayBeTakenLater) {
  testing::MemoryEngine engine;
  IngestLimits limits = AnyAge();
  limits.block_ingestion_until_ns = INT64_MAX;
  WritePath writes(&engine, limits);
  const LineWrite write = WriteLines(&writes, "fake", "varve-alerts", {{kNowMs, "a"}, {kNowMs, "b"}});
  EXPECT_FALSE(write.status.ok());
  EXPECT_EQ(write.done, 0U);
}

}  // namespace
}  // namespace varve
