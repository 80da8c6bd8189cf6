#include "engine/head/cut.h"

#include <gtest/gtest.h>

#include "engine/packs/mem_pack_store.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

class CutTest : public testing::Test {
 protected:
  StreamOrdinal Stream(const std::string& app, const std::string& pod) {
    return *streams_.Intern(*streams_.InternTenant("t"), Labels::FromUnsorted({{"app", app}, {"pod", pod}}),
                            [](std::string_view, std::string_view, uint64_t) { return Status::Ok(); });
  }
  void Append(StreamOrdinal stream, std::vector<LogEntryView> entries) {
    segment_.Append(stream, entries, 0);
  }
  Result<CutResult> Cut() {
    CutOptions options;
    options.bucket_ns = 100;
    options.next_pack_number = [this] { return ++last_number_; };
    return WritePacks(segment_, streams_, options, &store_);
  }

  MemoryBudget budget_{"heads", int64_t{1} << 30};
  ChunkPool pool_{&budget_, 4};
  LogSegment segment_{&pool_, &budget_};
  StreamTable streams_;
  MemPackStore store_;
  uint64_t last_number_ = 0;
};

TEST_F(CutTest, WritesOnePackPerBucketAndDropsDuplicates) {
  const StreamOrdinal stream = Stream("a", "1");
  Append(stream, {{250, "x", ""}, {-1, "y", ""}, {50, "z", ""}, {250, "x", ""}, {299, "w", ""}});
  const Result<CutResult> result = Cut();
  ASSERT_OK(result);
  ASSERT_EQ(result->packs.size(), 3u);
  EXPECT_EQ(result->packs[0].id.bucket, -1);
  EXPECT_EQ(result->packs[1].id.bucket, 0);
  EXPECT_EQ(result->packs[2].id.bucket, 2);
  EXPECT_EQ(result->packs[2].directory.row_count, 2u);
  EXPECT_EQ(result->duplicates_dropped, 1u);
  EXPECT_EQ(store_.List()->size(), 3u);
}

TEST_F(CutTest, MergesNeighbouringBucketsWhenThereAreTooMany) {
  const StreamOrdinal stream = Stream("a", "1");
  for (int64_t i = 0; i < 1000; ++i) Append(stream, {{i * 100, "x", ""}});
  const Result<CutResult> result = Cut();
  ASSERT_OK(result);
  ASSERT_EQ(result->packs.size(), kPacksPerCutMax);
  uint64_t rows = 0;
  int64_t last = -1;
  for (const WrittenPack& pack : result->packs) {
    rows += pack.directory.row_count;
    EXPECT_GT(pack.directory.min_ts_ns, last);
    last = pack.directory.max_ts_ns;
    EXPECT_EQ(pack.id.bucket, last / 100);
  }
  EXPECT_EQ(rows, 1000u);
}

TEST_F(CutTest, PutsStreamsThatLookAlikeSideBySide) {
  for (const char* pod : {"1", "2", "3"}) {
    for (const char* app : {"a", "b", "c"}) Append(Stream(app, pod), {{1, "x", ""}});
  }
  const Result<CutResult> result = Cut();
  ASSERT_OK(result);
  ASSERT_EQ(result->packs.size(), 1u);
  const std::vector<PackStream>& written = result->packs[0].directory.streams;
  ASSERT_EQ(written.size(), 9u);
  int changes = 0;
  std::string last_app;
  for (const PackStream& stream : written) {
    Labels labels;
    ASSERT_TRUE(Labels::FromCanonical(stream.canonical_labels, &labels));
    if (labels.Get("app") != last_app) ++changes;
    last_app = labels.Get("app");
  }
  EXPECT_EQ(changes, 3);
}

}  // namespace
}  // namespace varve
