#include "http/active_queries.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "http/query_gate.h"

namespace varve {
namespace {

ActiveQueryInfo Info(std::string tenant, std::string query) {
  ActiveQueryInfo info;
  info.tenant = std::move(tenant);
  info.language = "promql";
  info.query = std::move(query);
  return info;
}

TEST(ActiveQueries, AreThereAsLongAsTheirEntries) {
  ActiveQueries table;
  CancelToken cancel;
  {
    const ActiveQuery first(&table, Info("a", "up"), &cancel);
    const ActiveQuery other(&table, Info("b", "down"), &cancel);
    const ActiveQuery second(&table, Info("a", std::string(2 * kActiveQueryBytesMax, 'x')), &cancel);
    const std::vector<ActiveQueryInfo> listed = table.List("a");
    ASSERT_EQ(2u, listed.size());
    EXPECT_EQ("up", listed[0].query);
    EXPECT_LT(listed[0].id, listed[1].id);
    EXPECT_EQ(kActiveQueryBytesMax, listed[1].query.size());
    EXPECT_EQ(3u, table.running());
  }
  EXPECT_EQ(0u, table.running());
  EXPECT_TRUE(table.List("a").empty());
}

TEST(ActiveQueries, ATenantEndsItsOwnOnly) {
  ActiveQueries table;
  CancelToken cancel;
  const ActiveQuery entry(&table, Info("a", "up"), &cancel);
  const uint64_t id = table.List("a").front().id;
  EXPECT_EQ(Code::kNotFound, table.Cancel("b", id).code());
  EXPECT_EQ(Code::kNotFound, table.Cancel("a", id + 1).code());
  EXPECT_TRUE(cancel.Check().ok());
  EXPECT_TRUE(table.Cancel("a", id).ok());
  EXPECT_EQ(Code::kCancelled, cancel.Check().code());
  EXPECT_EQ(1u, table.cancelled());
}

TEST(ActiveQueries, NoTableIsNoTrouble) {
  const ActiveQuery entry(nullptr, Info("a", "up"), nullptr);
}

TEST(QueryGate, LetsInAsManyAsItHasPlacesFor) {
  QueryGate gate(1);
  std::atomic<bool> entered{false};
  std::thread second;
  {
    GatePlace first(&gate);
    ASSERT_TRUE(first.Enter(nullptr, 0).ok());
    GatePlace late(&gate);
    EXPECT_EQ(Code::kDeadlineExceeded, late.Enter(nullptr, 0).code());
    CancelToken cancelled;
    cancelled.Cancel();
    GatePlace gone(&gate);
    EXPECT_EQ(Code::kCancelled, gone.Enter(&cancelled, 1000).code());
    second = std::thread([&] {
      GatePlace place(&gate);
      entered = place.Enter(nullptr, 60'000).ok();
    });
    while (gate.waiting() == 0) std::this_thread::yield();
    EXPECT_FALSE(entered);
  }
  second.join();
  EXPECT_TRUE(entered);
}

TEST(QueryGate, WithoutPlacesThereIsNoLimit) {
  QueryGate gate(0);
  GatePlace first(&gate);
  GatePlace second(&gate);
  EXPECT_TRUE(first.Enter(nullptr, 0).ok());
  EXPECT_TRUE(second.Enter(nullptr, 0).ok());
}

}  // namespace
}  // namespace varve
