#include "tools/follow_file.h"

#include <gtest/gtest.h>
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace varve {
namespace {

class FollowedFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "/varve_follow_" + std::to_string(getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    path_ = folder_ + "/a.log";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Append(const std::string& text) { std::ofstream(path_, std::ios::app) << text; }
  void Open(FollowedFileState state = {}) {
    auto file = FollowedFile::Open(path_, std::move(state));
    ASSERT_TRUE(file.ok()) << file.status().ToString();
    file_ = std::move(*file);
  }
  // Lines until there are no more, and what then is said.
  std::vector<std::string> Lines() {
    std::vector<std::string> lines;
    while (true) {
      std::string_view line;
      const auto next = file_->ReadLine(&line);
      EXPECT_TRUE(next.ok()) << next.status().ToString();
      if (next.ok() && *next == FollowedFile::Next::kLine) {
        lines.emplace_back(line);
        continue;
      }
      if (next.ok() && *next == FollowedFile::Next::kTruncated) lines.emplace_back("(truncated)");
      return lines;
    }
  }
  using Text = std::vector<std::string>;

  std::string folder_;
  std::string path_;
  std::unique_ptr<FollowedFile> file_;
};

TEST_F(FollowedFileTest, GivesWholeLinesAsTheyAreWritten) {
  Append("one\n\ntw");
  Open();
  EXPECT_EQ((Text{"one", ""}), Lines());
  EXPECT_TRUE(file_->has_rest());
  Append("o");
  EXPECT_EQ(Text{}, Lines());
  Append("!\nthree\n");
  EXPECT_EQ((Text{"two!", "three"}), Lines());
  EXPECT_FALSE(file_->has_rest());
  EXPECT_EQ(16u, file_->taken());
  EXPECT_EQ(0u, file_->state().offset);
  file_->Commit();
  EXPECT_EQ(16u, file_->state().offset);
}

TEST_F(FollowedFileTest, GoesOnWhereItWasCommitted) {
  Append(std::string(3000, 'x') + "\none\ntwo\n");
  Open();
  std::string_view line;
  ASSERT_TRUE(file_->ReadLine(&line).ok());
  ASSERT_TRUE(file_->ReadLine(&line).ok());
  file_->set_last_ns(77);
  file_->Commit();
  ASSERT_TRUE(file_->ReadLine(&line).ok());  // taken, not committed
  const FollowedFileState state = file_->state();
  EXPECT_EQ(1024u, state.head.bytes);
  EXPECT_EQ(256u, state.tail.bytes);
  Open(state);
  EXPECT_EQ(77, file_->last_ns());
  EXPECT_EQ(Text{"two"}, Lines());
}

TEST_F(FollowedFileTest, NoticesTruncation) {
  Append("one\ntwo\nhal");
  Open();
  EXPECT_EQ((Text{"one", "two"}), Lines());
  file_->Commit();
  ASSERT_EQ(0, truncate(path_.c_str(), 0));
  EXPECT_EQ(Text{"(truncated)"}, Lines());
  EXPECT_EQ(Text{"(truncated)"}, Lines());
  std::string_view rest;
  ASSERT_TRUE(file_->TakeRest(&rest));
  EXPECT_EQ("hal", rest);
  file_->Commit();
  file_->StartOver(5);
  EXPECT_EQ(0u, file_->state().offset);
  Append("new\n");
  EXPECT_EQ(Text{"new"}, Lines());
}

TEST_F(FollowedFileTest, NoticesTruncationThatWasOvergrown) {
  Append("one\ntwo\n");
  Open();
  EXPECT_EQ((Text{"one", "two"}), Lines());
  file_->Commit();
  const FollowedFileState state = file_->state();
  ASSERT_EQ(0, truncate(path_.c_str(), 0));
  Append("another and longer beginning\nthree\n");
  EXPECT_EQ(Text{"(truncated)"}, Lines());
  file_->StartOver(5);
  EXPECT_EQ((Text{"another and longer beginning", "three"}), Lines());
  const int fd = open(path_.c_str(), O_RDONLY);
  EXPECT_FALSE(FollowedFile::Fits(fd, state));
  EXPECT_TRUE(FollowedFile::Fits(fd, file_->state()));
  close(fd);
}

TEST_F(FollowedFileTest, TellsFilesOfOneBeginningApartByWhatComesBeforeTheOffset) {
  const std::string head(2000, 'h');
  Append(head + "\none\n");
  Open();
  EXPECT_EQ((Text{head, "one"}), Lines());
  file_->Commit();
  const FollowedFileState state = file_->state();
  std::filesystem::remove(path_);
  Append(head + "\ntwo\nthree\n");
  const int fd = open(path_.c_str(), O_RDONLY);
  EXPECT_FALSE(FollowedFile::Fits(fd, state));
  close(fd);
}

TEST_F(FollowedFileTest, CutsLinesThatAreTooLong) {
  Append(std::string(FollowedFile::kLineBytesMax + 5, 'x') + "\nshort\n");
  Open();
  const Text lines = Lines();
  ASSERT_EQ(3u, lines.size());
  EXPECT_EQ(FollowedFile::kLineBytesMax, lines[0].size());
  EXPECT_EQ("xxxxx", lines[1]);
  EXPECT_EQ("short", lines[2]);
}

TEST_F(FollowedFileTest, KeepsTheTimesOfWhatIsPending) {
  Append("one\ntwo\nthree\n");
  FollowedFileState state;
  state.pending = {14, 100};
  Open(state);
  std::string_view line;
  ASSERT_TRUE(file_->ReadLine(&line).ok());
  file_->set_last_ns(100);
  file_->Commit();
  EXPECT_EQ((PendingTimes{14, 101}), file_->state().pending);
  Lines();
  file_->set_last_ns(102);
  file_->Commit();
  EXPECT_EQ(PendingTimes(), file_->state().pending);
}

}  // namespace
}  // namespace varve
