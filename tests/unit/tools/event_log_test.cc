#include "tools/event_log.h"

#include <gtest/gtest.h>

#include "tests/support/memory_engine.h"

namespace varve {
namespace {

TEST(EventLog, StoresLinesPerTenantWhenItIsFlushed) {
  testing::MemoryEngine engine;
  WritePath writes(&engine, IngestLimits());
  EventLog events(&writes);
  EXPECT_TRUE(events.Flush().ok());
  events.Add("a", 1'790'000'000'123, R"({"event":"notification","text":"\"quoted\""})");
  events.Add("a", 1'790'000'000'123, "second");
  events.Add("b", 1'790'000'000'124, "other");
  EXPECT_EQ(0u, engine.Stats().appended_entries);
  EXPECT_TRUE(events.Flush().ok());
  EXPECT_EQ(3u, engine.Stats().appended_entries);
  EXPECT_TRUE(engine.FindTenant("b").ok());
  EXPECT_TRUE(events.Flush().ok());
  EXPECT_EQ(3u, engine.Stats().appended_entries);
}

TEST(EventLog, KeepsWhatCannotBeStoredNow) {
  testing::MemoryEngine engine;
  WritePath writes(&engine, IngestLimits());
  EventLog events(&writes);
  events.Add("a", 1'790'000'000'123, "line");
  engine.FailAppends(StorageFull("the disk is full"));
  EXPECT_EQ(Code::kStorageFull, events.Flush().code());
  engine.FailAppends(Status::Ok());
  EXPECT_TRUE(events.Flush().ok());
  EXPECT_EQ(1u, engine.Stats().appended_entries);
}

TEST(EventLog, CountsWhatLimitsRefuse) {
  testing::MemoryEngine engine;
  IngestLimits limits;
  limits.max_line_size = 10;
  WritePath writes(&engine, limits);
  EventLog events(&writes);
  events.Add("a", 1'790'000'000'123, "short");
  events.Add("a", 1'790'000'000'124, "longer than a line may be");
  EXPECT_FALSE(events.Flush().ok());
  EXPECT_EQ(1u, events.dropped());
  EXPECT_TRUE(events.Flush().ok());
  EXPECT_EQ(1u, engine.Stats().appended_entries);
}

TEST(EventLog, DropsLinesBeyondItsLimit) {
  testing::MemoryEngine engine;
  WritePath writes(&engine, IngestLimits());
  EventLog events(&writes);
  for (size_t i = 0; i < EventLog::kLinesMax + 3; ++i) events.Add("a", 1'790'000'000'000, std::to_string(i));
  EXPECT_EQ(3u, events.dropped());
  EXPECT_TRUE(events.Flush().ok());
  EXPECT_EQ(EventLog::kLinesMax, engine.Stats().appended_entries);
}

}  // namespace
}  // namespace varve
