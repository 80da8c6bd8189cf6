// Which packs compaction picks, and what it does to them, over stores in memory.
#include <gtest/gtest.h>

#include <atomic>

#include "engine/compaction_plan.h"
#include "tests/support/engine_client.h"
#include "tests/support/memory_stores.h"
#include "tests/support/status_matchers.h"
#include "tests/support/word_row_filter.h"

namespace varve {
namespace {

class FakeClock final : public Clock {
 public:
  int64_t NowNs() const override { return now_ns.load(std::memory_order_relaxed); }
  std::atomic<int64_t> now_ns{1'700'000'000 * kNsPerSecond};
};

// ---- The plan ---------------------------------------------------------------------------------------

struct PackCase {
  uint64_t origin;
  int32_t bucket;
  uint64_t bytes;
  int64_t min_ts_ns;
  int64_t max_ts_ns;
  std::vector<uint64_t> applied = {};
};

Catalog MakeCatalog(const std::vector<PackCase>& packs) {
  Catalog catalog;
  for (const PackCase& pack : packs) {
    CatalogPack made;
    made.id = {.retention_class = 0, .bucket = pack.bucket, .shard = 0, .number = pack.origin};
    made.summary.origin = pack.origin;
    made.summary.encoded_bytes = pack.bytes;
    made.summary.min_ts_ns = pack.min_ts_ns;
    made.summary.max_ts_ns = pack.max_ts_ns;
    made.summary.deletes_applied = pack.applied;
    catalog.push_back(std::make_shared<CatalogPack>(std::move(made)));
  }
  return catalog;
}

// The origins of what comes next: "1 2 3".
std::string Next(const Catalog& catalog, const CompactionRules& rules) {
  std::string text;
  for (const CatalogPackPtr& pack : NextCompaction(catalog, rules)) {
    text += (text.empty() ? "" : " ") + std::to_string(pack->summary.origin);
  }
  return text;
}

CompactionRules At(int64_t now_ns) {
  CompactionRules rules;
  rules.now_ns = now_ns;
  rules.bucket_ns = 100;
  return rules;
}

LiveDeletePtr Hiding(uint64_t number, uint64_t through, int64_t start_ns, int64_t end_ns) {
  LiveDelete live;
  live.request.number = number;
  live.request.through = through;
  live.request.start_ns = start_ns;
  live.request.end_ns = end_ns;
  live.filter = std::make_shared<WordRowFilter>("", "");
  return std::make_shared<LiveDelete>(std::move(live));
}

TEST(CompactionPlan, MergesTwoOfAPastBucketButEightOfOneThatFills) {
  std::vector<PackCase> packs;
  for (uint64_t origin = 1; origin <= 7; ++origin) packs.push_back({origin, 5, 10, 500, 599});
  EXPECT_EQ(Next(MakeCatalog({packs[0], packs[1]}), At(650)), "1 2");
  EXPECT_EQ(Next(MakeCatalog(packs), At(550)), "");
  packs.push_back({8, 5, 10, 500, 599});
  EXPECT_EQ(Next(MakeCatalog(packs), At(550)), "1 2 3 4 5 6 7 8");
}

TEST(CompactionPlan, LeavesALargePackAloneUntilTheSmallOnesAddUp) {
  const Catalog one_late = MakeCatalog({{1, 5, 1000, 500, 599}, {2, 5, 10, 500, 599}});
  EXPECT_EQ(Next(one_late, At(650)), "");
  CompactionRules all = At(650);
  all.all = true;
  EXPECT_EQ(Next(one_late, all), "1 2");
  EXPECT_EQ(Next(MakeCatalog({{1, 5, 1000, 500, 599}, {2, 5, 10, 500, 599}, {3, 5, 10, 500, 599}}), At(650)), "2 3");
  EXPECT_EQ(Next(MakeCatalog({{1, 5, 1000, 500, 599}, {2, 5, 400, 500, 599}}), At(650)), "1 2");
}

TEST(CompactionPlan, KeepsBucketsApartAndTheOrderOfArrival) {
  CompactionRules all = At(900);
  all.all = true;
  EXPECT_EQ(Next(MakeCatalog({{1, 5, 10, 500, 599}, {2, 6, 10, 600, 699}, {3, 5, 10, 500, 599}}), all), "1 3");
  // Pack 2 also holds rows of bucket 5's time: rows of pack 1 must not move behind them.
  EXPECT_EQ(Next(MakeCatalog({{1, 5, 10, 500, 599}, {2, 6, 10, 550, 699}, {3, 5, 10, 500, 599}}), all), "");
  // Here they do not meet: pack 1 ends before pack 2 begins, and pack 3 stays behind it anyhow.
  EXPECT_EQ(Next(MakeCatalog({{1, 5, 10, 500, 540}, {2, 6, 10, 550, 699}, {3, 5, 10, 500, 599}}), all), "1 3");
}

TEST(CompactionPlan, DoesNotMergeAcrossARequestThatStillHides) {
  CompactionRules all = At(900);
  all.all = true;
  all.hiding = {Hiding(1, 2, 0, 1000)};
  const std::vector<PackCase> packs = {{1, 5, 10, 500, 599}, {2, 5, 10, 500, 599}, {3, 5, 10, 500, 599},
                                       {4, 5, 10, 500, 599}};
  EXPECT_EQ(Next(MakeCatalog(packs), all), "1 2");
  EXPECT_EQ(Next(MakeCatalog({packs[1], packs[2]}), all), "");
  EXPECT_EQ(Next(MakeCatalog({packs[1], packs[2], packs[3]}), all), "3 4");
  // Where it was applied to one of them, and where it does not reach.
  EXPECT_EQ(Next(MakeCatalog({{1, 5, 10, 500, 599, {1}}, {2, 5, 10, 500, 599}}), all), "");
  all.hiding = {Hiding(1, 2, 600, 1000)};
  EXPECT_EQ(Next(MakeCatalog(packs), all), "1 2 3 4");
}

TEST(CompactionPlan, RewritesWhatMustBeAndLeavesOutWhatIsExcluded) {
  CompactionRules rules = At(900);
  const Catalog catalog = MakeCatalog({{1, 5, 1000, 500, 599}, {2, 6, 10, 600, 699}});
  rules.must_rewrite = [](const CatalogPack& pack) { return pack.summary.origin == 2; };
  EXPECT_EQ(Next(catalog, rules), "2");
  rules.excluded = [](const CatalogPack& pack) { return pack.summary.origin == 2; };
  EXPECT_EQ(Next(catalog, rules), "");
  rules.all = true;
  EXPECT_EQ(Next(MakeCatalog({{1, 5, 9, 500, 599}, {2, 5, 9, 500, 599}, {3, 5, 9, 500, 599}}), rules), "");
}

TEST(CompactionPlan, IsBoundedInPacksAndBytes) {
  CompactionRules all = At(900);
  all.all = true;
  all.inputs_max = 3;
  std::vector<PackCase> packs;
  for (uint64_t origin = 1; origin <= 5; ++origin) packs.push_back({origin, 5, 10 * origin, 500, 599});
  EXPECT_EQ(Next(MakeCatalog(packs), all), "1 2 3");
  all.pack_bytes_max = 55;
  EXPECT_EQ(Next(MakeCatalog({packs[2], packs[3]}), all), "");
}

// ---- The engine -------------------------------------------------------------------------------------

class CompactionTest : public testing::Test {
 protected:
  CompactionTest() {
    options_.data_dir = "/";
    options_.memory_budget_bytes = 64 << 20;
    options_.shard_count = 1;
    options_.encode_threads = 1;
    options_.query_threads = 1;
    options_.disk_full_fraction = 1.0;
    options_.cut_bytes = 1 << 30;
    options_.cut_age_ms = int64_t{1} << 40;
    options_.retention_check_interval_ms = int64_t{1} << 40;
    options_.bucket_ns = 1'000'000;
    options_.block_bytes = 1000;
    options_.clock = &clock_;
    options_.row_filter_factory = CompileWordRowFilter;
    options_.delete_cancel_period_ns = 10;
    options_.compaction_enabled = false;
    Open();
  }
  void Open() {
    engine_.reset();
    Result<std::unique_ptr<Engine>> engine = OpenWith(options_, MakeMemoryStores(disk_));
    ASSERT_OK(engine);
    engine_ = std::move(engine).value();
    ASSERT_OK(engine_->Recover(TestReplay(engine_.get())));
  }
  void Push(const std::string& app, int64_t ts_ns, const std::string& line) {
    ASSERT_OK(EngineClient(engine_.get()).Push(MakeLabels({{"app", app}}), ts_ns, line));
  }
  // A pack of one stream, ten lines of 100 bytes a block.
  void PushPack(const std::string& app, int64_t begin_ns, int lines) {
    for (int i = 0; i < lines; ++i) Push(app, begin_ns + i, std::string(100, static_cast<char>('a' + i % 26)));
    ASSERT_OK(engine_->Flush());
  }
  TestContents Contents() {
    auto contents = EngineClient(engine_.get()).ReadAll();
    EXPECT_OK(contents);
    return contents.ok() ? *contents : TestContents();
  }

  FakeClock clock_;
  EngineOptions options_;
  MemoryDisk disk_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(CompactionTest, CopiesFullBlocksThatNothingOverlaps) {
  PushPack("a", 0, 35);
  PushPack("a", 100, 35);
  PushPack("b", 0, 5);
  const TestContents before = Contents();
  ASSERT_OK(engine_->Compact());
  const EngineStats stats = engine_->Stats();
  EXPECT_EQ(stats.packs, 1u);
  EXPECT_EQ(stats.compaction_packs_in, 3u);
  // Each pack of "a" has three full blocks and half a one.
  EXPECT_EQ(stats.compaction_blocks_copied, 6u);
  EXPECT_EQ(stats.compaction_blocks_decoded, 3u);
  EXPECT_EQ(Contents(), before);
  Open();
  EXPECT_EQ(Contents(), before);
}

TEST_F(CompactionTest, DecodesWhereTimesOverlapAndDropsDuplicates) {
  PushPack("a", 0, 30);
  PushPack("a", 15, 30);  // the lines differ from those at the same times…
  PushPack("a", 0, 30);   // …and these are the first again
  const TestContents before = Contents();
  ASSERT_OK(engine_->Compact());
  EXPECT_EQ(engine_->Stats().compaction_blocks_copied, 1u);  // the last, 35 to 44
  EXPECT_EQ(engine_->Stats().compaction_duplicates_dropped, 30u);
  EXPECT_EQ(engine_->Stats().pack_entries, 60u);
  EXPECT_EQ(Contents(), before);
}

TEST_F(CompactionTest, RemovesDeletedRowsOnlyAfterTheCancelPeriod) {
  PushPack("a", 0, 26);
  PushPack("b", 0, 10);
  const auto request = engine_->AddDelete("t", "app=a|bbb", 0, 1000);
  ASSERT_OK(request);
  ASSERT_OK(engine_->Compact());
  EXPECT_EQ(engine_->Stats().pack_entries, 36u);
  EXPECT_EQ(engine_->ListDeletes("t")[0].state, DeleteRequest::State::kReceived);
  const TestContents before = Contents();
  clock_.now_ns += 11;
  ASSERT_OK(engine_->Compact());
  EXPECT_EQ(engine_->Stats().pack_entries, 35u);
  EXPECT_EQ(engine_->Stats().compaction_rows_removed, 1u);
  EXPECT_EQ(engine_->Stats().delete_requests, 0u);
  EXPECT_EQ(engine_->ListDeletes("t")[0].state, DeleteRequest::State::kProcessed);
  EXPECT_EQ(engine_->CancelDelete("t", request->id, true).code(), Code::kInvalidArgument);
  EXPECT_EQ(Contents(), before);
  Open();
  EXPECT_EQ(engine_->ListDeletes("t")[0].state, DeleteRequest::State::kProcessed);
  EXPECT_EQ(Contents(), before);
}

TEST_F(CompactionTest, DropsAPackOfWhichNothingIsLeft) {
  PushPack("a", 0, 26);
  ASSERT_OK(engine_->AddDelete("t", "app=a", 0, 1000));
  clock_.now_ns += 11;
  ASSERT_OK(engine_->Compact());
  EXPECT_EQ(engine_->Stats().packs, 0u);
  EXPECT_TRUE(disk_.packs->List()->empty());
  PushPack("a", 0, 3);
  EXPECT_EQ(Contents().begin()->second.size(), 3u);
}

TEST_F(CompactionTest, LeavesRowsWhereTheTenantMayOnlyHideThem) {
  options_.may_remove_deleted = [](std::string_view) { return false; };
  Open();
  PushPack("a", 0, 26);
  ASSERT_OK(engine_->AddDelete("t", "app=a", 0, 1000));
  clock_.now_ns += 11;
  ASSERT_OK(engine_->Compact());
  EXPECT_EQ(engine_->Stats().pack_entries, 26u);
  EXPECT_TRUE(Contents().empty());
}

TEST_F(CompactionTest, LeavesADamagedPackAloneAndGoesOn) {
  PushPack("a", 0, 5);
  PushPack("a", 10, 5);
  PushPack("a", 20, 5);
  const auto packs = disk_.packs->List();
  disk_.packs->Overwrite((*packs)[1].id, 0, "damage");
  EXPECT_EQ(engine_->Compact().code(), Code::kCorruption);
  EXPECT_EQ(engine_->Stats().packs, 3u);  // its neighbours must not change places with it
  EXPECT_OK(engine_->Compact());
  PushPack("a", 30, 5);
  EXPECT_OK(engine_->Compact());
  EXPECT_EQ(engine_->Stats().packs, 3u);
}

TEST_F(CompactionTest, KeepsFilesForAsLongAsASnapshotReadsThem) {
  PushPack("a", 0, 5);
  PushPack("a", 10, 5);
  auto snapshot = engine_->SnapshotLogs(*engine_->FindTenant("t"), {}, {});
  ASSERT_OK(snapshot);
  ASSERT_OK(engine_->Compact());
  EXPECT_EQ(engine_->Stats().packs, 1u);
  EXPECT_EQ(disk_.packs->List()->size(), 3u);
  for (const LogSlice& slice : (*snapshot)->slices()) {
    EXPECT_OK((*snapshot)->Load(slice.source, kTimestamps | kLines, engine_->query_budget()));
  }
  snapshot->reset();
  ASSERT_OK(engine_->Compact());
  EXPECT_EQ(disk_.packs->List()->size(), 1u);
}

}  // namespace
}  // namespace varve
