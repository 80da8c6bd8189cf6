// Delete requests over stores in memory: what they hide, for how long, and across restarts.
#include <gtest/gtest.h>

#include <atomic>

#include "tests/support/engine_client.h"
#include "tests/support/memory_stores.h"
#include "tests/support/status_matchers.h"
#include "tests/support/word_row_filter.h"

namespace varve {
namespace {

constexpr int64_t kEnd = 1000;

class FakeClock final : public Clock {
 public:
  int64_t NowNs() const override { return now_ns.load(std::memory_order_relaxed); }
  std::atomic<int64_t> now_ns{1'700'000'000 * kNsPerSecond};
};

class DeletesTest : public testing::Test {
 protected:
  DeletesTest() {
    options_.data_dir = "/";
    options_.memory_budget_bytes = 64 << 20;
    options_.shard_count = 2;
    options_.encode_threads = 1;
    options_.query_threads = 1;
    options_.disk_full_fraction = 1.0;
    options_.cut_bytes = 1 << 30;
    options_.cut_age_ms = int64_t{1} << 40;
    options_.retention_check_interval_ms = int64_t{1} << 40;
    options_.bucket_ns = 100;
    options_.clock = &clock_;
    options_.row_filter_factory = CompileWordRowFilter;
    Open();
  }
  void Open() {
    engine_.reset();
    Result<std::unique_ptr<Engine>> engine = OpenWith(options_, MakeMemoryStores(disk_, hook_));
    ASSERT_OK(engine);
    engine_ = std::move(engine).value();
    ASSERT_OK(engine_->Recover(TestReplay(engine_.get())));
  }
  void Push(const std::string& app, int64_t ts_ns, const std::string& line) {
    ASSERT_OK(EngineClient(engine_.get()).Push(MakeLabels({{"app", app}}), ts_ns, line));
  }
  DeleteRequest Delete(const std::string& query, int64_t start_ns = 0, int64_t end_ns = kEnd,
                       const std::string& tenant = "t") {
    auto request = engine_->AddDelete(tenant, query, start_ns, end_ns);
    EXPECT_OK(request);
    return request.ok() ? *request : DeleteRequest();
  }
  std::string Lines() {
    const auto contents = EngineClient(engine_.get()).ReadAll();
    EXPECT_OK(contents);
    std::string text;
    for (const auto& [stream, entries] : *contents) {
      for (const TestEntry& entry : entries) text += (text.empty() ? "" : " ") + std::get<1>(entry);
    }
    return text;
  }

  FakeClock clock_;
  EngineOptions options_;
  StepHook hook_;
  MemoryDisk disk_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(DeletesTest, HideWhatIsStoredAtOnceAndNothingThatComesLater) {
  Push("a", 1, "one");
  Push("a", 2, "two");
  Push("b", 1, "other");
  Delete("app=a|one");
  EXPECT_EQ(Lines(), "two other");
  Push("a", 3, "one more");
  EXPECT_EQ(Lines(), "two one more other");
  ASSERT_OK(engine_->Flush());
  EXPECT_EQ(Lines(), "two one more other");
  Open();
  EXPECT_EQ(Lines(), "two one more other");
}

TEST_F(DeletesTest, LetTheSameEntryBePushedAgain) {
  Push("a", 1, "one");
  ASSERT_OK(engine_->Flush());
  Push("a", 1, "one");  // a duplicate, in a younger pack
  ASSERT_OK(engine_->Flush());
  Delete("app=a");
  EXPECT_EQ(Lines(), "");
  Push("a", 1, "one");
  EXPECT_EQ(Lines(), "one");
  ASSERT_OK(engine_->Flush());
  EXPECT_EQ(Lines(), "one");
}

TEST_F(DeletesTest, CoverBothEndsOfTheirRange) {
  for (int64_t ts = 1; ts <= 5; ++ts) Push("a", ts, std::to_string(ts));
  Delete("app=a", 2, 4);
  EXPECT_EQ(Lines(), "1 5");
}

TEST_F(DeletesTest, OfOneTenantLeaveTheOthersAlone) {
  Push("a", 1, "one");
  Delete("app=a", 0, kEnd, "somebody else");
  EXPECT_EQ(Lines(), "one");
  EXPECT_EQ(engine_->ListDeletes("somebody else").size(), 1u);
  EXPECT_TRUE(engine_->ListDeletes("t").empty());
  EXPECT_EQ(engine_->FindTenant("somebody else").status().code(), Code::kNotFound);
}

TEST_F(DeletesTest, CountsAreNotTakenFromDirectoriesWhereRowsMayBeHidden) {
  Push("a", 1, "one");
  Push("a", 2, "two");
  Push("b", 1, "other");
  Delete("app=a|one");
  const auto snapshot = engine_->SnapshotLogs(*engine_->FindTenant("t"), {}, {});
  ASSERT_OK(snapshot);
  for (const LogSlice& slice : (*snapshot)->slices()) {
    const bool is_a = (*snapshot)->streams()[slice.stream].labels->Get("app") == "a";
    EXPECT_EQ(slice.may_hide(), is_a);
    EXPECT_EQ(slice.counts_exact, !is_a);
  }
}

TEST_F(DeletesTest, OfWholeStreamsCostTheirReadersNothing) {
  Push("a", 1, "one");
  Push("b", 1, "other");
  Delete("app=a");
  const auto snapshot = engine_->SnapshotLogs(*engine_->FindTenant("t"), {}, {});
  ASSERT_OK(snapshot);
  ASSERT_EQ((*snapshot)->slices().size(), 1u);
  EXPECT_FALSE((*snapshot)->slices()[0].may_hide());
}

TEST_F(DeletesTest, CanBeCancelledUntilTheirPeriodIsOver) {
  Push("a", 1, "one");
  const DeleteRequest first = Delete("app=a");
  const uint64_t generation = engine_->DeleteGeneration("t");
  EXPECT_GT(generation, 0u);
  EXPECT_EQ(engine_->CancelDelete("t", "", false).code(), Code::kNotFound);
  EXPECT_EQ(engine_->CancelDelete("somebody else", first.id, false).code(), Code::kNotFound);
  EXPECT_EQ(Lines(), "");
  ASSERT_OK(engine_->CancelDelete("t", first.id, false));
  EXPECT_EQ(Lines(), "one");
  EXPECT_GT(engine_->DeleteGeneration("t"), generation);
  EXPECT_TRUE(engine_->ListDeletes("t").empty());
  EXPECT_EQ(engine_->CancelDelete("t", first.id, false).code(), Code::kNotFound);

  const DeleteRequest second = Delete("app=a");
  EXPECT_NE(second.number, first.number);
  clock_.now_ns += options_.delete_cancel_period_ns + 1;
  EXPECT_EQ(engine_->CancelDelete("t", second.id, false).code(), Code::kOutOfRange);
  EXPECT_EQ(Lines(), "");
  ASSERT_OK(engine_->CancelDelete("t", second.id, true));
  EXPECT_EQ(Lines(), "one");
  Open();
  EXPECT_EQ(Lines(), "one");
  EXPECT_TRUE(engine_->ListDeletes("t").empty());
}

TEST_F(DeletesTest, AreListedAsTheyWereGivenAlsoAfterARestart) {
  Push("a", 1, "one");
  const DeleteRequest request = Delete("app=a|one", 5, 7);
  EXPECT_EQ(request.id.size(), 8u);
  for (int restart = 0; restart < 2; ++restart) {
    const auto listed = engine_->ListDeletes("t");
    ASSERT_EQ(listed.size(), 1u);
    EXPECT_EQ(listed[0], request);
    Open();
  }
}

TEST_F(DeletesTest, ThatDoNotCompileOrAreNotStoredHideNothing) {
  Push("a", 1, "one");
  EXPECT_EQ(engine_->AddDelete("t", "!", 0, kEnd).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(Lines(), "one");
  bool fail = false;
  hook_ = [&fail](std::string_view step) { return fail && step == "commit" ? IoError("injected") : Status::Ok(); };
  Open();
  ASSERT_OK(engine_->Flush());
  fail = true;
  EXPECT_EQ(engine_->AddDelete("t", "app=a", 0, kEnd).status().code(), Code::kIoError);
  fail = false;
  EXPECT_EQ(Lines(), "one");
  EXPECT_TRUE(engine_->ListDeletes("t").empty());
}

TEST_F(DeletesTest, AreBoundedInNumber) {
  options_.delete_requests_max = 2;
  Open();
  Delete("app=a");
  Delete("app=b");
  EXPECT_EQ(engine_->AddDelete("t", "app=c", 0, kEnd).status().code(), Code::kResourceExhausted);
}

TEST_F(DeletesTest, NeverCoverPacksThatAreWrittenAfterTheirOwnAreGone) {
  Push("a", 1, "one");
  Delete("app=a");
  // As if retention had dropped all packs: their numbers must not be given out again.
  {
    const MutexLock lock(disk_.meta->mu);
    disk_.meta->packs.clear();
  }
  Open();
  Push("a", 1, "one");
  ASSERT_OK(engine_->Flush());
  EXPECT_EQ(Lines(), "one");
}

TEST(DeleteRequestBytes, ComeBackAsTheyWereAndDamageIsFound) {
  DeleteRequest request;
  request.number = 7;
  request.id = "0a1b2c3d";
  request.tenant = "t";
  request.query = "{a=\"b\"} |= `x`";
  request.start_ns = -5;
  request.end_ns = 1'700'000'000'000'000'000;
  request.created_ns = 1'700'000'001'000'000'000;
  request.through = 300;
  request.state = DeleteRequest::State::kRemoving;
  request.changed = 9;
  request.packs_concerned = 12;
  const std::string bytes = EncodeDeleteRequest(request);
  const auto decoded = DecodeDeleteRequest(bytes);
  ASSERT_OK(decoded);
  EXPECT_EQ(*decoded, request);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    EXPECT_EQ(DecodeDeleteRequest(damaged).status().code(), Code::kCorruption) << i;
    EXPECT_EQ(DecodeDeleteRequest(bytes.substr(0, i)).status().code(), Code::kCorruption) << i;
  }
  request.packs_left = 9;
  EXPECT_EQ(PercentDone(request), 25u);
}

TEST(PackSummaryBytes, KeepOriginAndAppliedDeletesAndReadTheFirstVersion) {
  CatalogPack pack;
  pack.id = {.retention_class = 0, .bucket = 5, .shard = 1, .number = 30};
  pack.summary = {.min_ts_ns = -3, .max_ts_ns = 9, .row_count = 4, .line_bytes = 5, .encoded_bytes = 6,
                  .block_count = 1, .stream_count = 2, .origin = 30, .deletes_applied = {}};
  const MetaCommit::Pack as_cut = EncodeCatalogPack(pack);
  EXPECT_EQ(as_cut.summary[0], 1);
  auto decoded = DecodeCatalogPack(as_cut);
  ASSERT_OK(decoded);
  EXPECT_EQ(decoded->summary, pack.summary);
  pack.summary.origin = 12;
  pack.summary.deletes_applied = {3, 8};
  const MetaCommit::Pack merged = EncodeCatalogPack(pack);
  EXPECT_EQ(merged.summary[0], 2);
  decoded = DecodeCatalogPack(merged);
  ASSERT_OK(decoded);
  EXPECT_EQ(decoded->summary, pack.summary);
  pack.summary.origin = 31;  // above its own number
  EXPECT_EQ(DecodeCatalogPack(EncodeCatalogPack(pack)).status().code(), Code::kCorruption);
}

}  // namespace
}  // namespace varve
