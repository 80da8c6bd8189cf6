#include "engine/index/stream_table.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/status_matchers.h"

namespace varve {
namespace {

Labels OneLabel(const std::string& value) { return Labels::FromUnsorted({{"app", value}}); }

Status NotStored(std::string_view, std::string_view, uint64_t) { return Status::Ok(); }

TEST(StreamTable, GivesEachLabelSetOfATenantOneOrdinal) {
  StreamTable table;
  const TenantId a = *table.InternTenant("a");
  const TenantId b = *table.InternTenant("b");
  EXPECT_EQ(*table.InternTenant("a"), a);
  EXPECT_EQ(*table.FindTenant("b"), b);
  EXPECT_EQ(table.FindTenant("c").status().code(), Code::kNotFound);
  const StreamOrdinal first = *table.Intern(a, OneLabel("x"), NotStored);
  EXPECT_EQ(*table.Intern(a, OneLabel("x"), NotStored), first);
  const StreamOrdinal other_tenant = *table.Intern(b, OneLabel("x"), NotStored);
  EXPECT_NE(other_tenant, first);
  EXPECT_NE(table.Get(other_tenant).fingerprint, table.Get(first).fingerprint);
  EXPECT_EQ(table.Get(first).labels, OneLabel("x"));
  EXPECT_EQ(table.size(), 2u);
}

TEST(StreamTable, KeepsStreamsApartWhoseHashesCollide) {
  StreamTable table([](std::string_view) { return uint64_t{7}; });
  const TenantId tenant = *table.InternTenant("t");
  std::vector<StreamOrdinal> ordinals;
  for (int i = 0; i < 5; ++i)
    ordinals.push_back(*table.Intern(tenant, OneLabel(std::to_string(i)), NotStored));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(*table.Intern(tenant, OneLabel(std::to_string(i)), NotStored),
              ordinals[static_cast<size_t>(i)]);
    EXPECT_EQ(table.Get(ordinals[static_cast<size_t>(i)]).fingerprint, 7u + static_cast<uint64_t>(i));
  }
}

TEST(StreamTable, DoesNotShowAStreamThatCouldNotBeStored) {
  StreamTable table;
  const TenantId tenant = *table.InternTenant("t");
  const auto failing = [](std::string_view, std::string_view, uint64_t) { return IoError("no"); };
  EXPECT_EQ(table.Intern(tenant, OneLabel("x"), failing).status().code(), Code::kIoError);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_TRUE(table.Select(tenant, {}).empty());
}

TEST(StreamTable, RefusesToLoadWhatContradictsItself) {
  StreamTable table;
  ASSERT_OK(table.Load("t", OneLabel("x").Canonical(), 5));
  EXPECT_EQ(table.Load("t", OneLabel("y").Canonical(), 5).code(), Code::kCorruption);
  EXPECT_EQ(table.Load("t", "\xFFgarbage", 6).code(), Code::kCorruption);
  EXPECT_EQ(table.Load("t", "", 7).code(), Code::kCorruption);
}

TEST(StreamTable, InternsFromManyThreadsWithoutDoubles) {
  StreamTable table;
  const TenantId tenant = *table.InternTenant("t");
  std::vector<std::thread> threads;
  std::atomic<int> stored{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 9000; ++i) {
        const Labels labels = OneLabel(std::to_string(i));
        const auto stream = table.Intern(tenant, labels, [&](std::string_view, std::string_view, uint64_t) {
          ++stored;
          return Status::Ok();
        });
        ASSERT_OK(stream);
        ASSERT_EQ(table.Get(*stream).labels, labels);
        if (i % 1000 == 0) table.Select(tenant, {});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(table.size(), 9000u);
  EXPECT_EQ(stored.load(), 9000);
}

}  // namespace
}  // namespace varve
