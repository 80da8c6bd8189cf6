#include "tools/follow_state.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace varve {
namespace {

FollowState Example() {
  FollowedFileState file;
  file.path = "/var/log/a \"b\"\\\n.log.1";
  file.name = "/var/log/é.log";
  file.device = 64768;
  file.inode = UINT64_MAX;
  file.offset = 5000;
  file.head = {1024, UINT64_MAX};
  file.tail = {256, 1};
  file.seen_ns = 1'793'514'600'000'000'123;
  file.last_ns = -5;
  file.pending = {6000, 1'793'514'600'000'000'124};
  FollowedFileState empty;
  empty.path = empty.name = "/x";
  return {{file, empty}};
}

TEST(FollowState, ComesBackAsItWas) {
  const FollowState state = Example();
  const auto back = ParseFollowState(PrintFollowState(state));
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(state.files, back->files);
}

TEST(FollowState, RefusesWhatIsNoState) {
  const std::string good = PrintFollowState(Example());
  for (size_t size = 0; size + 2 < good.size(); size += 7) {
    EXPECT_EQ(Code::kCorruption, ParseFollowState(good.substr(0, size)).status().code()) << size;
  }
  for (const char* text : {"[]", "{}", "{\"version\": 2, \"files\": []}", "{\"version\": 1, \"files\": [1]}",
                           "{\"version\": 1, \"files\": [{\"path\": \"/x\"}]}"}) {
    EXPECT_EQ(Code::kCorruption, ParseFollowState(text).status().code()) << text;
  }
  std::string longer = good;
  longer.replace(longer.find("\"bytes\": 256"), 12, "\"bytes\": 999");
  EXPECT_EQ(Code::kCorruption, ParseFollowState(longer).status().code());
}

TEST(FollowState, IsReplacedWholeAndLocked) {
  const std::string path = ::testing::TempDir() + "/varve_follow_state.json";
  std::remove(path.c_str());
  FollowStateFile file(path);
  bool existed = true;
  ASSERT_TRUE(file.Lock().ok());
  EXPECT_TRUE(file.Load(&existed).ok());
  EXPECT_FALSE(existed);
  ASSERT_TRUE(file.Save(Example()).ok());
  ASSERT_TRUE(file.Save({}).ok());
  const auto loaded = file.Load(&existed);
  ASSERT_TRUE(loaded.ok());
  EXPECT_TRUE(existed);
  EXPECT_TRUE(loaded->files.empty());
  FollowStateFile other(path);
  EXPECT_EQ(Code::kUnavailable, other.Lock().code());
  std::ofstream(path) << "not a state";
  EXPECT_EQ(Code::kCorruption, file.Load(&existed).status().code());
  EXPECT_EQ(Code::kIoError, FollowStateFile("/no/such/folder/state").Save({}).code());
  std::remove(path.c_str());
  std::remove((path + ".lock").c_str());
}

}  // namespace
}  // namespace varve
