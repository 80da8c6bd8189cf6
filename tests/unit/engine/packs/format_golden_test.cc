// Files that released versions of the formats wrote (tests/golden/format) are read for ever after. They are
// never rewritten: a new version adds files.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include "engine/codec/log_block.h"
#include "engine/model/log_entry.h"
#include "engine/packs/pack_directory.h"

namespace varve {
namespace {

std::string ReadGolden(const std::string& name) {
  std::ifstream file(std::string(VARVE_SOURCE_DIR "/tests/golden/format/") + name, std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

LogColumns Decode(const std::string& bytes) {
  LogColumns columns;
  const Status status = DecodeLogBlock(bytes, kTimestamps | kLines | kMetadata, &columns);
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_TRUE(VerifyLogBlock(bytes).ok());
  return columns;
}

std::string Metadata(std::vector<MetadataPair> pairs) {
  std::string out;
  EncodeMetadata(&pairs, &out);
  return out;
}

TEST(FormatGolden, LogBlockVersion1WithALevelOnEachRow) {
  const LogColumns columns = Decode(ReadGolden("log_block_v1_levels"));
  ASSERT_EQ(columns.row_count, 400u);
  for (uint32_t i = 0; i < 400; ++i) {
    EXPECT_EQ(columns.timestamps_ns[i], 1000LL * i * i);
    EXPECT_EQ(columns.Line(i), std::string(i % 50, static_cast<char>('a' + i % 26)));
    EXPECT_EQ(columns.Metadata(i), Metadata({{"detected_level", i % 7 != 0 ? "info" : "warn"}}));
  }
}

TEST(FormatGolden, LogBlockVersion1WithAColumnOfIds) {
  const LogColumns columns = Decode(ReadGolden("log_block_v1_ids"));
  ASSERT_EQ(columns.row_count, 330u);
  for (uint32_t i = 0; i < 330; ++i) {
    const std::string id = std::to_string(i * 7919);
    std::vector<MetadataPair> pairs = {{"l", i % 3 != 0 ? "info" : "warn"}};
    if (i % 9 != 0) pairs.emplace_back("id", id);
    EXPECT_EQ(columns.timestamps_ns[i], i);
    EXPECT_EQ(columns.Line(i), "x");
    EXPECT_EQ(columns.Metadata(i), Metadata(pairs)) << i;
  }
}

TEST(FormatGolden, LogBlockVersion1WithTheLeastAndGreatestTime) {
  const LogColumns columns = Decode(ReadGolden("log_block_v1_extremes"));
  ASSERT_EQ(columns.row_count, 2u);
  EXPECT_EQ(columns.timestamps_ns[0], std::numeric_limits<int64_t>::min());
  EXPECT_EQ(columns.timestamps_ns[1], std::numeric_limits<int64_t>::max());
  EXPECT_EQ(columns.Line(1), "\xff");
  EXPECT_EQ(columns.Metadata(0), "junk");
}

TEST(FormatGolden, PackDirectoryVersion1) {
  const auto directory = DecodePackDirectory(ReadGolden("pack_directory_v1"));
  ASSERT_TRUE(directory.ok()) << directory.status().ToString();
  ASSERT_EQ(directory.value().streams.size(), 40u);
  ASSERT_EQ(directory.value().ranges.size(), 40u);
  for (uint32_t s = 0; s < 40; ++s) {
    EXPECT_EQ(directory.value().streams[s].fingerprint, s);
    EXPECT_EQ(directory.value().streams[s].canonical_labels, "{job=" + std::to_string(s));
    EXPECT_EQ(directory.value().ranges[s], (PackRowRange{s, s, 1, 9, s, s}));
  }
  EXPECT_EQ(directory.value().line_bytes, 360u);
}

}  // namespace
}  // namespace varve
