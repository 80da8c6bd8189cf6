// Taking entries: budgets, shedding, failures, and what a start finds again. Over stores in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "tests/support/engine_client.h"
#include "tests/support/memory_stores.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using testing::HasSubstr;

class AppendTest : public testing::Test {
 protected:
  AppendTest() {
    options_.data_dir = "/";
    options_.memory_budget_bytes = 64 << 20;  // heads get 8 MiB
    options_.shard_count = 2;
    options_.encode_threads = 1;
    options_.query_threads = 2;
    options_.disk_full_fraction = 1.0;
    options_.append_wait_ms_max = 1;
  }
  void Open() {
    engine_.reset();
    auto stores = MakeMemoryStores(disk_, [this](std::string_view step) {
      const char* failing = failing_step_.load();
      return failing != nullptr && step == failing ? IoError("injected") : Status::Ok();
    });
    Result<std::unique_ptr<Engine>> engine = OpenWith(options_, std::move(stores));
    ASSERT_OK(engine);
    engine_ = std::move(engine).value();
    ASSERT_OK(engine_->Recover(TestReplay(engine_.get())));
  }

  EngineOptions options_;
  MemoryDisk disk_;
  std::atomic<const char*> failing_step_{nullptr};
  std::unique_ptr<Engine> engine_;
  const Labels labels_ = MakeLabels({{"app", "a"}});
};

TEST_F(AppendTest, ShedsWhenHeadsAreFullAndTakesAgainWhenThereIsRoom) {
  Open();
  failing_step_ = "pack";  // nothing can leave the heads
  EngineClient client(engine_.get());
  Status status;
  int taken = 0;
  for (; taken < 100 && status.ok(); ++taken) status = client.Push(labels_, taken, std::string(1 << 20, 'x'));
  EXPECT_EQ(status.code(), Code::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("no room"));
  EXPECT_GT(engine_->Stats().shed_appends, 0u);
  EXPECT_EQ(client.Push(labels_, 0, std::string(6 << 20, 'x')).code(), Code::kUnavailable)
      << "above the limit";
  EXPECT_OK(client.ReadAll());
  failing_step_ = nullptr;
  ASSERT_OK(engine_->Flush());
  ASSERT_OK(client.Push(labels_, 1000, "room again"));
  const Result<TestContents> contents = client.ReadAll();
  ASSERT_OK(contents);
  EXPECT_EQ(contents->begin()->second.size(), static_cast<size_t>(taken))
      << "shed pushes left nothing behind";
}

TEST_F(AppendTest, ABatchLargerThanTheHeadsIsTakenWhenTheyAreEmpty) {
  Open();
  EngineClient client(engine_.get());
  ASSERT_OK(client.Push(labels_, 1, std::string(12 << 20, 'x')));
  ASSERT_OK(engine_->Flush());
  ASSERT_OK(client.Push(labels_, 2, std::string(12 << 20, 'x')));
}

TEST_F(AppendTest, AFailedJournalTakesNothingMoreButReadsGoOn) {
  Open();
  EngineClient client(engine_.get());
  ASSERT_OK(client.Push(labels_, 1, "before"));
  failing_step_ = "journal";
  EXPECT_EQ(client.Push(labels_, 2, "fails").code(), Code::kIoError);
  failing_step_ = nullptr;
  EXPECT_EQ(client.Push(labels_, 3, "still refused").code(), Code::kIoError);
  const Result<TestContents> contents = client.ReadAll();
  ASSERT_OK(contents);
  EXPECT_EQ(contents->begin()->second.size(), 1u);
  Open();
  ASSERT_OK(EngineClient(engine_.get()).Push(labels_, 3, "after a restart"));
}

TEST_F(AppendTest, ReplaysAJournalLargerThanTheHeads) {
  options_.cut_bytes = 1 << 30;
  options_.memory_budget_bytes = 1 << 30;
  Open();
  TestContents expected;
  for (int i = 100; i < 200; ++i) {
    const TestPush push{{{.labels = MakeLabels({{"s", std::to_string(i % 7)}}),
                          .entries = {{i, std::string(300'000, 'q'), ""}}}}};
    ASSERT_OK(EngineClient(engine_.get()).Push(push));
    push.AddTo(&expected);
  }
  options_.memory_budget_bytes = 64 << 20;
  Open();
  EXPECT_EQ(engine_->Stats().replayed_entries, 100u);
  EXPECT_GT(engine_->Stats().cuts, 0u) << "cut while replaying";
  const Result<TestContents> contents = EngineClient(engine_.get()).ReadAll();
  ASSERT_OK(contents);
  EXPECT_EQ(*contents, expected);
}

TEST_F(AppendTest, StopsRecoveryAtARecordThatCannotBeDecoded) {
  Open();
  ASSERT_OK(EngineClient(engine_.get()).Push(labels_, 1, "x"));
  engine_.reset();
  {
    const MutexLock lock(disk_.journal->mu);
    disk_.journal->records[2] = "garbage";
  }
  Result<std::unique_ptr<Engine>> engine = OpenWith(options_, MakeMemoryStores(disk_));
  ASSERT_OK(engine);
  const Status status = (*engine)->Recover(TestReplay(engine->get()));
  EXPECT_EQ(status.code(), Code::kCorruption);
  EXPECT_THAT(status.message(), HasSubstr("record 2"));
}

TEST_F(AppendTest, ForgetsStreamsThatHaveNoEntryLeft) {
  Open();
  const TenantId tenant = *engine_->InternTenant("t");
  ASSERT_OK(engine_->InternStream(tenant, MakeLabels({{"app", "never used"}})));
  ASSERT_OK(EngineClient(engine_.get()).Push(MakeLabels({{"app", "packed"}}), 1, "x"));
  ASSERT_OK(engine_->Flush());
  ASSERT_OK(EngineClient(engine_.get()).Push(MakeLabels({{"app", "in the journal"}}), 1, "x"));
  for (int round = 0; round < 2; ++round) {
    Open();
    EXPECT_EQ(engine_->Stats().streams, 2u);
    const MutexLock lock(disk_.meta->mu);
    EXPECT_EQ(disk_.meta->streams.size(), 2u);
  }
}

TEST_F(AppendTest, LearnsStreamsFromPacksWhenTheirIdentityIsLost) {
  Open();
  ASSERT_OK(EngineClient(engine_.get()).Push(labels_, 1, "x"));
  ASSERT_OK(engine_->Flush());
  engine_.reset();
  {
    const MutexLock lock(disk_.meta->mu);
    disk_.meta->streams.clear();
  }
  Open();
  EXPECT_EQ(engine_->Stats().streams, 1u);
  const Result<TestContents> contents = EngineClient(engine_.get()).ReadAll();
  ASSERT_OK(contents);
  EXPECT_EQ(contents->at("{app=\"a\"}").size(), 1u);
}

TEST_F(AppendTest, KeepsTheShardCountADirectoryWasCreatedWith) {
  Open();
  for (int i = 0; i < 20; ++i) {
    ASSERT_OK(EngineClient(engine_.get()).Push(MakeLabels({{"app", std::to_string(i)}}), 1, "x"));
  }
  ASSERT_OK(engine_->Flush());
  options_.shard_count = 16;
  options_.bucket_ns = 5;
  Open();
  EXPECT_EQ(engine_->options().shard_count, 2u);
  EXPECT_EQ(engine_->options().bucket_ns, kNsPerHour);
  EXPECT_EQ(EngineClient(engine_.get()).ReadAll()->size(), 20u);
}

// Notes what it is told, and whether a reader saw it by then.
class RecordingObserver final : public AppendObserver {
 public:
  explicit RecordingObserver(Engine* engine) : engine_(*engine), client_(engine) {}
  void OnAppend(const AppendBatch& batch) override {
    const Result<TestContents> visible = client_.ReadAll();
    for (const auto& stream : batch.streams) {
      const std::string labels = engine_.StreamLabels(stream.stream).ToString();
      tenants.insert(engine_.StreamTenant(stream.stream));
      for (uint32_t i = stream.begin; i < stream.begin + stream.count; ++i) {
        const LogEntryView& entry = batch.entries[i];
        const TestEntry told{entry.ts_ns, std::string(entry.line), std::string(entry.metadata)};
        const auto found = visible.ok() ? visible->find(labels) : TestContents::const_iterator();
        all_visible &= visible.ok() && found != visible->end() && found->second.contains(told);
        heard[labels].insert(told);
      }
    }
  }
  TestContents heard;
  std::set<TenantId> tenants;
  bool all_visible = true;

 private:
  Engine& engine_;
  EngineClient client_;
};

TEST_F(AppendTest, TellsAnObserverOfWhatHasBecomeReadable) {
  Open();
  EngineClient client(engine_.get());
  ASSERT_OK(client.Push(labels_, 1, "before"));
  RecordingObserver observer(engine_.get());
  engine_->SetAppendObserver(&observer);
  TestPush push{{{labels_, {{3, "three", "\x03key\x05value"}, {2, "two", ""}}},
                 {MakeLabels({{"app", "b"}}), {{5, "", ""}}}}};
  ASSERT_OK(client.Push(push));
  TestContents expected;
  push.AddTo(&expected);
  EXPECT_EQ(observer.heard, expected);
  EXPECT_TRUE(observer.all_visible);
  EXPECT_EQ(observer.tenants, std::set<TenantId>{*engine_->FindTenant("t")});

  engine_->SetAppendObserver(nullptr);
  ASSERT_OK(client.Push(labels_, 7, "after"));
  EXPECT_EQ(observer.heard, expected);
}

TEST_F(AppendTest, TellsAnObserverNothingOfWhatWasRefused) {
  Open();
  RecordingObserver observer(engine_.get());
  engine_->SetAppendObserver(&observer);
  failing_step_ = "journal";
  EngineClient client(engine_.get());
  EXPECT_FALSE(client.Push(labels_, 1, "lost").ok());
  EXPECT_TRUE(observer.heard.empty());
}

}  // namespace
}  // namespace varve
