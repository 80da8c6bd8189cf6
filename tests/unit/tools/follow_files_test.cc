#include "tools/follow_files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

namespace varve {
namespace {

class FollowedFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "/varve_files_" + std::to_string(getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override {
    files_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Append(const std::string& name, const std::string& text) { std::ofstream(Path(name), std::ios::app) << text; }
  void Follow(FollowState state = {}) {
    files_ = std::make_unique<FollowedFiles>(std::vector<std::string>{Path("a.log")}, std::move(state), false,
                                             [this](const std::string& line) { log_.push_back(line); });
    files_->Scan(1);
  }
  void Rename(const std::string& from, const std::string& to) { std::filesystem::rename(Path(from), Path(to)); }
  // Everything whole that can be read now, as if sent.
  std::vector<std::string> Read() {
    std::vector<std::string> lines;
    for (const auto& file : files_->files()) {
      std::string_view line;
      while (true) {
        const auto next = file->ReadLine(&line);
        EXPECT_TRUE(next.ok()) << next.status().ToString();
        if (!next.ok() || *next != FollowedFile::Next::kLine) break;
        lines.emplace_back(line);
      }
      file->Commit();
    }
    return lines;
  }
  void AgeAll() {
    for (const auto& file : files_->files()) file->last_growth -= std::chrono::hours(2);
  }
  using Text = std::vector<std::string>;

  std::string folder_;
  std::unique_ptr<FollowedFiles> files_;
  std::vector<std::string> log_;
};

TEST_F(FollowedFilesTest, DropsARenamedFileThatGrowsNoMore) {
  Append("a.log", "one\n");
  Follow();
  EXPECT_EQ(Text{"one"}, Read());
  Rename("a.log", "b");
  AgeAll();
  files_->Scan(2);
  files_->DropClosed();
  EXPECT_TRUE(files_->files().empty());
}

// As when the server was away for as long.
TEST_F(FollowedFilesTest, KeepsARenamedFileUntilItWasRead) {
  Append("a.log", "one\n");
  Follow();
  EXPECT_EQ(Text{"one"}, Read());
  Append("a.log", "two\nthree\n");
  Rename("a.log", "b");
  AgeAll();
  files_->Scan(2);
  files_->DropClosed();
  ASSERT_EQ(1u, files_->files().size());
  EXPECT_FALSE(files_->files().front()->closing);
  EXPECT_EQ((Text{"two", "three"}), Read());
  AgeAll();
  files_->Scan(3);
  files_->DropClosed();
  EXPECT_TRUE(files_->files().empty());
}

TEST_F(FollowedFilesTest, KeepsADeletedFileUntilItWasReadAndItsRestTaken) {
  Append("a.log", "one\nrest");
  Follow();
  std::filesystem::remove(Path("a.log"));
  AgeAll();
  files_->Scan(2);
  files_->DropClosed();
  ASSERT_EQ(1u, files_->files().size());
  FollowedFile* const file = files_->files().front().get();
  EXPECT_FALSE(file->closing);
  EXPECT_EQ(Text{"one"}, Read());
  AgeAll();
  files_->Scan(3);
  EXPECT_TRUE(file->closing);
  files_->DropClosed();
  ASSERT_EQ(1u, files_->files().size());
  std::string_view rest;
  ASSERT_TRUE(file->TakeRest(&rest));
  EXPECT_EQ("rest", rest);
  file->Commit();
  files_->DropClosed();
  EXPECT_TRUE(files_->files().empty());
}

TEST_F(FollowedFilesTest, RemembersAFileThatCannotBeOpenedForNow) {
  Append("a.log", "one\n");
  Follow();
  EXPECT_EQ(Text{"one"}, Read());
  const FollowState state = files_->State();
  files_.reset();
  Append("a.log", "two\n");
  rlimit limit{};
  ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
  rlimit none = limit;
  none.rlim_cur = 0;
  ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
  Follow(state);
  files_->Scan(2);
  const size_t open = files_->files().size();
  const FollowState kept = files_->State();
  ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
  EXPECT_EQ(0u, open);
  EXPECT_EQ(state.files, kept.files);
  files_->Scan(3);
  EXPECT_EQ(Text{"two"}, Read());
}

}  // namespace
}  // namespace varve
