// Both journals, by the same rules.
#include "engine/journal/journal.h"

#include <gtest/gtest.h>

#include <thread>

#include "engine/journal/hot_db.h"
#include "engine/journal/memory_journal.h"
#include "engine/journal/rocksdb_journal.h"
#include "engine/meta/memory_meta_store.h"
#include "engine/meta/rocksdb_meta_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace varve {
namespace {

// A journal with the meta store that trims it, over a "disk" that survives Reopen.
class Harness {
 public:
  virtual ~Harness() = default;
  virtual void Reopen(JournalSeq floor) = 0;
  virtual Journal* journal() = 0;
  virtual MetaStore* meta() = 0;
};

class MemoryHarness final : public Harness {
 public:
  MemoryHarness() { Reopen(0); }
  void Reopen(JournalSeq floor) override {
    journal_ = std::make_unique<MemoryJournal>(records_, floor);
    meta_ = std::make_unique<MemoryMetaStore>(contents_, records_);
  }
  Journal* journal() override { return journal_.get(); }
  MetaStore* meta() override { return meta_.get(); }

 private:
  std::shared_ptr<MemoryJournalRecords> records_ = std::make_shared<MemoryJournalRecords>();
  std::shared_ptr<MemoryMetaContents> contents_ = std::make_shared<MemoryMetaContents>();
  std::unique_ptr<MemoryJournal> journal_;
  std::unique_ptr<MemoryMetaStore> meta_;
};

class RocksDbHarness final : public Harness {
 public:
  RocksDbHarness() { Reopen(0); }
  void Reopen(JournalSeq floor) override {
    journal_.reset();
    meta_.reset();
    hot_.reset();
    Result<std::unique_ptr<HotDb>> hot =
        HotDb::Open({.path = dir_.path(), .journal_memtable_bytes = 1 << 20});
    ASSERT_OK(hot);
    hot_ = std::move(hot).value();
    Result<std::unique_ptr<RocksDbJournal>> journal = RocksDbJournal::Open(hot_.get(), floor);
    ASSERT_OK(journal);
    journal_ = std::move(journal).value();
    meta_ = std::make_unique<RocksDbMetaStore>(hot_.get());
  }
  Journal* journal() override { return journal_.get(); }
  MetaStore* meta() override { return meta_.get(); }

 private:
  TempDir dir_;
  std::unique_ptr<HotDb> hot_;
  std::unique_ptr<RocksDbJournal> journal_;
  std::unique_ptr<RocksDbMetaStore> meta_;
};

class JournalTest : public testing::TestWithParam<bool> {
 protected:
  JournalTest() {
    if (GetParam()) {
      harness_ = std::make_unique<RocksDbHarness>();
    } else {
      harness_ = std::make_unique<MemoryHarness>();
    }
  }
  Journal* journal() { return harness_->journal(); }
  std::vector<std::pair<JournalSeq, std::string>> ReplayAfter(JournalSeq after) {
    std::vector<std::pair<JournalSeq, std::string>> records;
    EXPECT_OK(journal()->Replay(after, [&](JournalSeq seq, std::string_view record) {
      records.emplace_back(seq, record);
      return Status::Ok();
    }));
    return records;
  }

  std::unique_ptr<Harness> harness_;
};

MetaCommit Trim(JournalSeq through) {
  MetaCommit commit;
  commit.watermarks = {{.shard = 0, .seq = through}};
  commit.trim_journal_through = through;
  return commit;
}

TEST_P(JournalTest, NumbersRecordsFromOneAndReplaysThemInOrder) {
  EXPECT_EQ(journal()->last_seq(), 0u);
  for (int i = 1; i <= 300; ++i) {
    const Result<JournalSeq> seq = journal()->Append("record " + std::to_string(i), i % 100 == 0);
    ASSERT_OK(seq);
    EXPECT_EQ(*seq, static_cast<JournalSeq>(i));
  }
  harness_->Reopen(0);
  EXPECT_EQ(journal()->last_seq(), 300u);
  const auto records = ReplayAfter(250);
  ASSERT_EQ(records.size(), 50u);
  EXPECT_EQ(records.front(), std::make_pair(JournalSeq{251}, std::string("record 251")));
  EXPECT_EQ(records.back().first, 300u);
}

TEST_P(JournalTest, ForgetsWhatACommitTrimsAndNeverReusesItsNumbers) {
  for (int i = 1; i <= 10; ++i) ASSERT_OK(journal()->Append("r", false));
  ASSERT_OK(harness_->meta()->Commit(Trim(10)));
  EXPECT_TRUE(ReplayAfter(0).empty());
  ASSERT_OK(journal()->Reclaim(10));
  EXPECT_TRUE(ReplayAfter(0).empty());
  harness_->Reopen(/*floor=*/10);
  EXPECT_EQ(journal()->last_seq(), 10u);
  EXPECT_EQ(*journal()->Append("next", false), 11u);
  EXPECT_EQ(ReplayAfter(0).size(), 1u);
}

TEST_P(JournalTest, FreesFilesOfTrimmedRecordsOnly) {
  const std::string large(64 << 10, 'x');
  for (int i = 1; i <= 100; ++i) ASSERT_OK(journal()->Append(large, false));  // several memtables
  ASSERT_OK(harness_->meta()->Commit(Trim(60)));
  ASSERT_OK(journal()->FreeTrimmed(60));
  EXPECT_EQ(ReplayAfter(60).size(), 40u);
  ASSERT_OK(journal()->Reclaim(60));
  EXPECT_EQ(ReplayAfter(60).size(), 40u);
  harness_->Reopen(60);
  EXPECT_EQ(ReplayAfter(60).size(), 40u);
  EXPECT_EQ(ReplayAfter(0).size(), 40u);
}

TEST_P(JournalTest, StopsAReplayAtTheFirstErrorOfItsReader) {
  for (int i = 1; i <= 3; ++i) ASSERT_OK(journal()->Append("r", false));
  int calls = 0;
  const Status status = journal()->Replay(0, [&](JournalSeq, std::string_view) {
    ++calls;
    return calls == 2 ? Corruption("bad record") : Status::Ok();
  });
  EXPECT_EQ(status.code(), Code::kCorruption);
  EXPECT_EQ(calls, 2);
}

TEST_P(JournalTest, TakesRecordsFromManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) ASSERT_OK(journal()->Append("r", false));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(journal()->last_seq(), 800u);
  EXPECT_EQ(ReplayAfter(0).size(), 800u);
  EXPECT_EQ(journal()->Stats().records, 800u);
}

TEST_P(JournalTest, TheMetaStoreKeepsPacksWatermarksStreamsAndSettings) {
  MetaStore* meta = harness_->meta();
  MetaCommit first;
  first.added = {{"k2", "s2"}, {"k1", "s1"}};
  first.watermarks = {{3, 7}, {300, 9}};
  ASSERT_OK(meta->Commit(first));
  MetaCommit second;
  second.added = {{"k3", "s3"}};
  second.removed = {"k1"};
  second.watermarks = {{3, 8}};
  ASSERT_OK(meta->Commit(second));
  ASSERT_OK(meta->PutStream({.tenant = "t", .canonical = "\x01z\x01v", .fingerprint = 5}));
  ASSERT_OK(meta->PutStream({.tenant = "u", .canonical = "\x01z\x01v", .fingerprint = 6}));
  ASSERT_OK(meta->DeleteStreams({{.tenant = "u", .canonical = "\x01z\x01v", .fingerprint = 6}}));
  ASSERT_OK(meta->PutSetting("name", "value"));
  harness_->Reopen(0);
  meta = harness_->meta();
  const auto packs = meta->ListPacks();
  ASSERT_OK(packs);
  ASSERT_EQ(packs->size(), 2u);
  EXPECT_EQ((*packs)[0].key, "k2");
  EXPECT_EQ((*packs)[1].summary, "s3");
  const auto watermarks = meta->ListWatermarks();
  ASSERT_OK(watermarks);
  EXPECT_EQ(*watermarks, (std::map<uint32_t, uint64_t>{{3, 8}, {300, 9}}));
  std::vector<StreamRecord> streams;
  ASSERT_OK(meta->ForEachStream([&](const StreamRecord& stream) {
    streams.push_back(stream);
    return Status::Ok();
  }));
  ASSERT_EQ(streams.size(), 1u);
  EXPECT_EQ(streams[0].tenant, "t");
  EXPECT_EQ(streams[0].canonical, "\x01z\x01v");
  EXPECT_EQ(streams[0].fingerprint, 5u);
  EXPECT_EQ(**meta->GetSetting("name"), "value");
  EXPECT_FALSE(meta->GetSetting("other")->has_value());
}

INSTANTIATE_TEST_SUITE_P(Twins, JournalTest, testing::Bool(),
                         [](const auto& twin) { return std::string(twin.param ? "RocksDb" : "Memory"); });

}  // namespace
}  // namespace varve
