#include "engine/inspect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/engine_client.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace varve {
namespace {

using testing::HasSubstr;

// 300 entries in packs of two buckets, one more in the journal.
void Fill(const std::string& dir, bool keep_open, std::unique_ptr<Engine>* open) {
  EngineOptions options;
  options.data_dir = dir;
  options.memory_budget_bytes = 128 << 20;
  options.shard_count = 2;
  options.disk_full_fraction = 1.0;
  Result<std::unique_ptr<Engine>> engine = Engine::Open(options);
  ASSERT_OK(engine);
  ASSERT_OK((*engine)->Recover(TestReplay(engine->get())));
  EngineClient client(engine->get());
  const Labels labels = MakeLabels({{"app", "a"}});
  for (int64_t i = 0; i < 300; ++i) {
    ASSERT_OK(client.Push(labels, (i % 2) * kNsPerHour + i, "line " + std::to_string(i)));
  }
  ASSERT_OK((*engine)->Flush());
  ASSERT_OK(client.Push(labels, 1, "in the journal"));
  if (keep_open) *open = std::move(engine).value();
}

TEST(Inspect, CountsWhatThePacksAndTheJournalHold) {
  const TempDir dir;
  Fill(dir.path(), false, nullptr);
  const Result<DataDirReport> report = InspectDataDir(dir.path());
  ASSERT_OK(report);
  EXPECT_EQ(report->format_version, 1u);
  EXPECT_EQ(report->shard_count, 2u);
  EXPECT_EQ(report->streams, 1u);
  EXPECT_EQ(report->streams_by_tenant.at("t"), 1u);
  EXPECT_EQ(report->packs.size(), 2u);
  ASSERT_EQ(report->buckets.size(), 2u);
  EXPECT_EQ(report->buckets.at(0).entries, 150u);
  EXPECT_EQ(report->buckets.at(1).begin_ns, kNsPerHour);
  EXPECT_EQ(report->total.entries, 300u);
  EXPECT_GT(report->pack_bytes_on_disk, 0u);
  EXPECT_GT(report->packs[0].bytes_on_disk, 0u);
  EXPECT_EQ(report->orphan_packs, 0u);
  EXPECT_EQ(report->journal_live_records, 1u);
  EXPECT_EQ(report->journal_last_seq, 301u);

  const Result<VerifyTotals> totals = VerifyDataDir(dir.path(), [](const VerifyProblem& problem) {
    ADD_FAILURE() << problem.where << problem.status.ToString();
  });
  ASSERT_OK(totals);
  EXPECT_EQ(totals->packs, 2u);
  EXPECT_EQ(totals->entries, 300u);
  EXPECT_EQ(totals->journal_records, 1u);
  EXPECT_EQ(totals->problems, 0u);
}

TEST(Inspect, SeesADirectoryThatIsBeingServed) {
  const TempDir dir;
  std::unique_ptr<Engine> engine;
  Fill(dir.path(), true, &engine);
  const Result<DataDirReport> report = InspectDataDir(dir.path());
  ASSERT_OK(report);
  EXPECT_EQ(report->total.entries, 300u);
  EXPECT_EQ(report->journal_live_records, 1u);
  const Result<VerifyTotals> totals = VerifyDataDir(dir.path(), [](const VerifyProblem& problem) {
    ADD_FAILURE() << problem.where << problem.status.ToString();
  });
  ASSERT_OK(totals);
  EXPECT_EQ(totals->entries, 300u);
  EXPECT_EQ(totals->journal_records, 1u);

  // It was not disturbed.
  EngineClient client(engine.get());
  ASSERT_OK(client.Push(MakeLabels({{"app", "a"}}), 2, "still open"));
  ASSERT_OK(engine->Flush());
  ASSERT_OK(engine->Close());
}

TEST(Inspect, SaysWhatIsNotADataDirectory) {
  const TempDir dir;
  const Result<DataDirReport> report = InspectDataDir(dir.path());
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(report.status().message(), HasSubstr(dir.path()));
}

TEST(Verify, NamesTheBlockThatIsDamaged) {
  const TempDir dir;
  Fill(dir.path(), false, nullptr);
  // The largest file under packs/ is a pack; a flipped byte near its start lies in its first block.
  std::filesystem::path pack;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path() + "/packs")) {
    if (entry.path().extension() == ".sst") pack = entry.path();
  }
  ASSERT_FALSE(pack.empty());
  std::fstream file(pack, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(100);
  const char byte = static_cast<char>(file.get() ^ 0x40);
  file.seekp(100);
  file.put(byte);
  file.close();
  std::vector<std::string> problems;
  const Result<VerifyTotals> totals =
      VerifyDataDir(dir.path(), [&](const VerifyProblem& problem) { problems.push_back(problem.where); });
  ASSERT_OK(totals);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_THAT(problems[0], HasSubstr("block 0 of pack"));

  // The engine starts, says which block it was, and reads the rest.
  EngineOptions options;
  options.data_dir = dir.path();
  options.memory_budget_bytes = 128 << 20;
  Result<std::unique_ptr<Engine>> engine = Engine::Open(options);
  ASSERT_OK(engine);
  ASSERT_OK((*engine)->Recover(TestReplay(engine->get())));
  EngineClient client(engine->get());
  const Result<TestContents> all = client.ReadAll();
  ASSERT_FALSE(all.ok());
  EXPECT_EQ(all.status().code(), Code::kCorruption);
  EXPECT_THAT(all.status().message(), HasSubstr("block 0"));
  const bool first_bucket_reads = client.ReadAll({}, {.begin_ns = 2, .end_ns = kNsPerHour}).ok();
  const bool second_bucket_reads =
      client.ReadAll({}, {.begin_ns = kNsPerHour, .end_ns = 2 * kNsPerHour}).ok();
  EXPECT_NE(first_bucket_reads, second_bucket_reads);
}

}  // namespace
}  // namespace varve
