// Engine::DataGeneration: what changes it, and what does not.
#include <gtest/gtest.h>

#include <atomic>

#include "engine/engine_impl.h"
#include "tests/support/engine_client.h"
#include "tests/support/memory_stores.h"
#include "tests/support/status_matchers.h"
#include "tests/support/word_row_filter.h"

namespace varve {
namespace {

constexpr int64_t kNoon = 1'795'000'000LL * kNsPerSecond;

class SetClock final : public Clock {
 public:
  int64_t NowNs() const override { return now_ns; }
  std::atomic<int64_t> now_ns{kNoon};
};

class DataGenerationTest : public testing::Test {
 protected:
  DataGenerationTest() {
    options_.data_dir = "/";
    options_.memory_budget_bytes = 64 << 20;
    options_.shard_count = 2;
    options_.encode_threads = 1;
    options_.query_threads = 2;
    options_.disk_full_fraction = 1.0;
    options_.clock = &clock_;
    options_.row_filter_factory = CompileWordRowFilter;
  }
  void Open() {
    engine_.reset();
    Result<std::unique_ptr<Engine>> engine = OpenWith(options_, MakeMemoryStores(disk_));
    ASSERT_OK(engine);
    engine_ = std::move(engine).value();
  }
  Status Recover() { return engine_->Recover(TestReplay(engine_.get())); }

  SetClock clock_;
  EngineOptions options_;
  MemoryDisk disk_;
  std::unique_ptr<Engine> engine_;
  const Labels labels_ = MakeLabels({{"app", "a"}});
  const TimeRange hour_{kNoon - kNsPerHour, kNoon};
};

TEST_F(DataGenerationTest, ChangesWithAPushIntoTheRangeOnly) {
  Open();
  ASSERT_OK(Recover());
  EngineClient client(engine_.get());
  const auto before = engine_->DataGeneration(hour_);
  ASSERT_TRUE(before.has_value());
  ASSERT_OK(client.Push(labels_, kNoon + kNsPerHour, "elsewhere"));
  EXPECT_EQ(engine_->DataGeneration(hour_), before);
  ASSERT_OK(client.Push(labels_, kNoon - kNsPerHour, "late"));
  EXPECT_NE(engine_->DataGeneration(hour_), before);
}

TEST_F(DataGenerationTest, IsLeftAloneByCutsWhichMoveRowsButChangeNone) {
  Open();
  ASSERT_OK(Recover());
  EngineClient client(engine_.get());
  ASSERT_OK(client.Push(labels_, kNoon - 1, "x"));
  const auto before = engine_->DataGeneration(hour_);
  ASSERT_OK(engine_->Flush());
  EXPECT_EQ(engine_->DataGeneration(hour_), before);
}

TEST_F(DataGenerationTest, ChangesWithADeleteInTheRangeAndWithItsCancellation) {
  Open();
  ASSERT_OK(Recover());
  ASSERT_OK(EngineClient(engine_.get()).Push(labels_, kNoon - 1, "x"));
  const auto before = engine_->DataGeneration(hour_);
  ASSERT_OK(engine_->AddDelete("t", "a", kNoon + kNsPerHour, kNoon + 2 * kNsPerHour));
  EXPECT_EQ(engine_->DataGeneration(hour_), before) << "a delete elsewhere";
  const auto request = engine_->AddDelete("t", "a", kNoon - kNsPerHour, kNoon - 1);
  ASSERT_OK(request);
  const auto hidden = engine_->DataGeneration(hour_);
  EXPECT_NE(hidden, before);
  ASSERT_OK(engine_->CancelDelete("t", request->id, false));
  EXPECT_NE(engine_->DataGeneration(hour_), hidden);
}

TEST_F(DataGenerationTest, ChangesWhenRecoveryBringsRowsBack) {
  Open();
  ASSERT_OK(Recover());
  ASSERT_OK(EngineClient(engine_.get()).Push(labels_, kNoon - 1, "x"));
  Open();
  const auto before = engine_->DataGeneration(hour_);
  ASSERT_OK(Recover());
  EXPECT_NE(engine_->DataGeneration(hour_), before);
}

TEST_F(DataGenerationTest, IsMissingWhereTheClockAloneChangesWhatReadersSee) {
  options_.retention_ns = 2 * kNsPerHour;
  Open();
  ASSERT_OK(Recover());
  EXPECT_TRUE(engine_->DataGeneration(hour_).has_value());
  EXPECT_FALSE(engine_->DataGeneration({kNoon - 3 * kNsPerHour, kNoon}).has_value());
  clock_.now_ns = kNoon + kNsPerHour + 1;
  EXPECT_FALSE(engine_->DataGeneration(hour_).has_value());
}

}  // namespace
}  // namespace varve
