#include "engine/head/log_segment.h"

#include <gtest/gtest.h>

#include "engine/head/head_columns.h"

namespace varve {
namespace {

class LogSegmentTest : public testing::Test {
 protected:
  void Append(StreamOrdinal stream, std::vector<LogEntryView> entries) {
    segment_->Append(stream, entries, 5);
  }

  MemoryBudget budget_{"heads", int64_t{1} << 30};
  ChunkPool pool_{&budget_, 4};
  std::unique_ptr<LogSegment> segment_ = std::make_unique<LogSegment>(&pool_, &budget_);
};

TEST_F(LogSegmentTest, KeepsRunsOfRowsThatFollowEachOther) {
  Append(1, {{10, "a", ""}, {11, "b", ""}});
  Append(1, {{11, "c", ""}});
  Append(2, {{5, "", "m"}});
  Append(1, {{9, "d", ""}});
  const HeadStream* stream = segment_->Find(1);
  ASSERT_NE(stream, nullptr);
  ASSERT_EQ(stream->runs.size(), 2u);
  EXPECT_EQ(stream->runs[0].count, 3u);
  EXPECT_TRUE(stream->runs[0].sorted);
  EXPECT_FALSE(stream->runs[0].ascending);
  EXPECT_EQ(stream->row_count, 4u);
  EXPECT_EQ(stream->line_bytes, 4u);
  EXPECT_EQ(stream->min_ts_ns, 9);
  EXPECT_EQ(stream->max_ts_ns, 11);
  EXPECT_EQ(segment_->Find(3), nullptr);
  EXPECT_EQ(segment_->row_count(), 5u);
  EXPECT_EQ(segment_->first_append_ns(), 5);
}

TEST_F(LogSegmentTest, RowsOfACopiedRunStayWhileTheSegmentGrows) {
  Append(1, {{1, "first", "meta"}});
  const HeadRun run = segment_->Find(1)->runs[0];
  const std::string filler(10'000, 'x');
  for (int i = 0; i < 500; ++i) Append(1, {{i, filler, std::to_string(i)}});
  EXPECT_EQ(run.rows[0].line(), "first");
  EXPECT_EQ(run.rows[0].metadata(), "meta");
}

TEST_F(LogSegmentTest, TakesLinesLargerThanAChunkAndPushesOfManyRows) {
  const std::string large(3 << 20, 'L');
  Append(1, {{1, large, ""}, {2, "small", ""}});
  std::vector<LogEntryView> many(100'000, LogEntryView{3, "line", "k"});
  Append(1, many);
  const LogColumns columns =
      MaterialiseRuns(std::span(segment_->Find(1)->runs).first(2), kTimestamps | kLines);
  EXPECT_EQ(columns.Line(0), large);
  EXPECT_EQ(columns.Line(1), "small");
  EXPECT_EQ(segment_->row_count(), 100'002u);
  EXPECT_EQ(segment_->line_bytes(), (3u << 20) + 5 + 400'000);
}

TEST_F(LogSegmentTest, GivesAllItsMemoryBack) {
  for (int i = 0; i < 1000; ++i)
    Append(static_cast<StreamOrdinal>(i), {{i, std::string(1000, 'y'), std::to_string(i)}});
  EXPECT_EQ(budget_.used_bytes(), segment_->memory_bytes());
  EXPECT_GT(segment_->memory_bytes(), 1'000'000);
  segment_.reset();
  EXPECT_EQ(budget_.used_bytes(), 0);
}

TEST_F(LogSegmentTest, ColumnsAreSortedByTimeThenArrivalWithoutDuplicates) {
  Append(1, {{30, "late", ""}, {10, "b", ""}, {10, "a", ""}});
  Append(1, {{10, "b", ""}, {10, "b", "meta"}, {20, "", ""}});
  const LogColumns columns = MaterialiseRuns(segment_->Find(1)->runs, kTimestamps | kLines | kMetadata);
  ASSERT_EQ(columns.row_count, 5u);
  EXPECT_EQ(columns.timestamps_ns, (std::vector<int64_t>{10, 10, 10, 20, 30}));
  EXPECT_EQ(columns.Line(0), "b");
  EXPECT_EQ(columns.Line(1), "a");
  EXPECT_EQ(columns.Line(2), "b");
  EXPECT_EQ(columns.Metadata(2), "meta");
  EXPECT_EQ(columns.Metadata(0), "");
  EXPECT_EQ(columns.Line(4), "late");
  EXPECT_EQ(columns.lines.size(), 7 + LogColumns::kLinePaddingBytes);
}

TEST_F(LogSegmentTest, ColumnsThatWereNotAskedForAreEmpty) {
  Append(1, {{1, "a", "m"}});
  const LogColumns lengths = MaterialiseRuns(segment_->Find(1)->runs, kLengths);
  EXPECT_EQ(lengths.row_count, 1u);
  EXPECT_EQ(lengths.LineLength(0), 1u);
  EXPECT_TRUE(lengths.lines.empty());
  EXPECT_TRUE(lengths.timestamps_ns.empty());
  EXPECT_TRUE(lengths.metadata_codes.empty());
}

}  // namespace
}  // namespace varve
