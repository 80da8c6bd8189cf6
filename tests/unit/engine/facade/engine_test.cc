// The whole engine over RocksDB: what was pushed is read back, wherever it lies by then.
#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/engine_client.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace varve {
namespace {

using testing::HasSubstr;

EngineOptions SmallOptions(const std::string& dir) {
  EngineOptions options;
  options.data_dir = dir;
  options.memory_budget_bytes = 128 << 20;
  options.shard_count = 4;
  options.encode_threads = 1;
  options.query_threads = 2;
  options.disk_full_fraction = 1.0;
  return options;
}

std::unique_ptr<Engine> OpenAndRecover(const EngineOptions& options) {
  Result<std::unique_ptr<Engine>> engine = Engine::Open(options);
  EXPECT_OK(engine);
  if (!engine.ok()) return nullptr;
  EXPECT_OK((*engine)->Recover(TestReplay(engine->get())));
  return std::move(engine).value();
}

// A push of many streams, some lines empty, some metadata, times not in order.
TestPush ManyStreams(int64_t base_ns, int seed) {
  TestPush push;
  for (int s = 0; s < 20; ++s) {
    TestPush::Stream stream;
    stream.labels = MakeLabels({{"app", "a" + std::to_string(s % 3)}, {"pod", "p" + std::to_string(s)}});
    for (int i = 0; i < 30; ++i) {
      const int64_t ts = base_ns + (i * 7919 + seed * 31) % 1000;
      stream.entries.emplace_back(ts, i % 11 == 0 ? "" : "line " + std::to_string(i * seed),
                                  i % 5 == 0 ? "\x03key\x05value" : "");
    }
    push.streams.push_back(std::move(stream));
  }
  return push;
}

TEST(Engine, GivesBackWhatWasPushedFromHeadsFromPacksAndAfterARestart) {
  const TempDir dir;
  TestContents expected;
  {
    const auto engine = OpenAndRecover(SmallOptions(dir.path()));
    ASSERT_NE(engine, nullptr);
    EngineClient client(engine.get());
    for (int i = 1; i <= 5; ++i) {
      const TestPush push = ManyStreams(1'700'000'000'000'000'000 + i * 500, i);
      ASSERT_OK(client.Push(push));
      push.AddTo(&expected);
    }
    Result<TestContents> from_heads = client.ReadAll();
    ASSERT_OK(from_heads);
    EXPECT_EQ(*from_heads, expected);

    ASSERT_OK(engine->Flush());
    EXPECT_EQ(engine->Stats().head_entries, 0u);
    EXPECT_EQ(engine->Stats().journal_live_bytes, 0u);
    EXPECT_GT(engine->Stats().packs, 0u);
    Result<TestContents> from_packs = client.ReadAll();
    ASSERT_OK(from_packs);
    EXPECT_EQ(*from_packs, expected);

    const TestPush push = ManyStreams(1'700'000'000'000'000'000 + 1500, 9);
    ASSERT_OK(client.Push(push));
    push.AddTo(&expected);
    Result<TestContents> from_both = client.ReadAll();
    ASSERT_OK(from_both);
    EXPECT_EQ(*from_both, expected);
    ASSERT_OK(engine->Close());
  }
  const auto engine = OpenAndRecover(SmallOptions(dir.path()));
  ASSERT_NE(engine, nullptr);
  EXPECT_EQ(engine->Stats().replayed_records, 1u);
  EXPECT_EQ(engine->Stats().replayed_entries, 600u);
  Result<TestContents> recovered = EngineClient(engine.get()).ReadAll();
  ASSERT_OK(recovered);
  EXPECT_EQ(*recovered, expected);
}

TEST(Engine, RefusesASecondProcessUnknownVersionsAndPlacesItCannotWrite) {
  const TempDir dir;
  {
    const auto engine = OpenAndRecover(SmallOptions(dir.path()));
    ASSERT_NE(engine, nullptr);
    const auto second = Engine::Open(SmallOptions(dir.path()));
    ASSERT_FALSE(second.ok());
    EXPECT_THAT(second.status().message(), HasSubstr("in use by another process"));
    EXPECT_THAT(second.status().message(), HasSubstr(dir.path()));
  }
  std::ofstream(dir.path() + "/VERSION") << "999\n";
  const auto unknown = Engine::Open(SmallOptions(dir.path()));
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(unknown.status().message(), HasSubstr("version 999"));

  std::ofstream(dir.path() + "/VERSION") << "one\n";
  const auto garbled = Engine::Open(SmallOptions(dir.path()));
  ASSERT_FALSE(garbled.ok());
  EXPECT_EQ(garbled.status().code(), Code::kCorruption);

  std::filesystem::remove(dir.path() + "/VERSION");
  const auto bare = Engine::Open(SmallOptions(dir.path()));
  ASSERT_FALSE(bare.ok());
  EXPECT_THAT(bare.status().message(), HasSubstr("no VERSION file"));

  const auto under_a_file = Engine::Open(SmallOptions("/proc/version/data"));
  ASSERT_FALSE(under_a_file.ok());
  EXPECT_THAT(under_a_file.status().message(), HasSubstr("/proc/version/data"));
}

TEST(Engine, RefusesAppendsBeforeRecoveryAndAfterClose) {
  const TempDir dir;
  Result<std::unique_ptr<Engine>> engine = Engine::Open(SmallOptions(dir.path()));
  ASSERT_OK(engine);
  EngineClient client(engine->get());
  EXPECT_EQ(client.Push(MakeLabels({{"a", "b"}}), 1, "x").code(), Code::kUnavailable);
  ASSERT_OK((*engine)->Recover(TestReplay(engine->get())));
  ASSERT_OK(client.Push(MakeLabels({{"a", "b"}}), 1, "x"));
  ASSERT_OK((*engine)->Close());
  EXPECT_EQ(client.Push(MakeLabels({{"a", "b"}}), 2, "y").code(), Code::kUnavailable);
}

TEST(Engine, RefusesPushesOnAFullDiskWhileReadsGoOn) {
  const TempDir dir;
  {
    const auto engine = OpenAndRecover(SmallOptions(dir.path()));
    ASSERT_OK(EngineClient(engine.get()).Push(MakeLabels({{"a", "b"}}), 1, "x"));
  }
  EngineOptions options = SmallOptions(dir.path());
  options.disk_full_fraction = 0.0;
  const auto engine = OpenAndRecover(options);
  EngineClient client(engine.get());
  EXPECT_EQ(client.Push(MakeLabels({{"a", "b"}}), 2, "y").code(), Code::kStorageFull);
  const Result<TestContents> contents = client.ReadAll();
  ASSERT_OK(contents);
  EXPECT_EQ(contents->at("{a=\"b\"}").size(), 1u);
  EXPECT_EQ(engine->Stats().shed_appends, 1u);
  EXPECT_FALSE(engine->Stats().accepting_writes);
}

}  // namespace
}  // namespace varve
