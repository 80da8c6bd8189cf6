#include "engine/packs/pack_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "engine/packs/mem_pack_store.h"
#include "tests/unit/engine/packs/pack_rows.h"

namespace varve {
namespace {

const PackId kId{0, 7, 3, 1};

PackWriterOptions SmallBlocks() {
  PackWriterOptions options;
  options.block_bytes = 1000;
  options.block_rows = 50;
  options.own_block_bytes = 500;
  return options;
}

void ExpectSound(const PackStore& store) {
  EXPECT_TRUE(VerifyPack(store, kId, [](const PackDamage& damage) {
    ADD_FAILURE() << "block " << damage.block << ": " << damage.status.ToString();
  }));
}

TEST(PackWriter, GivesBackEveryRowOfManyStreamsAndTenants) {
  std::vector<TestStream> streams;
  for (uint64_t s = 0; s < 20; ++s) {
    streams.push_back(NumberedStream(s < 12 ? "a" : "b", s, static_cast<int>(1 + s * 7), 20));
  }
  MemPackStore store;
  const auto directory = WritePack(&store, kId, SmallBlocks(), streams);
  ASSERT_TRUE(directory.ok()) << directory.status().ToString();
  const auto rows = ReadPack(store, kId);
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  for (const TestStream& stream : streams) {
    EXPECT_EQ(rows.value().at(stream.tenant + stream.labels), stream.rows);
  }
  ExpectSound(store);
  const auto stored = store.ReadDirectory(kId);
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(stored.value(), directory.value());
}

TEST(PackWriter, NeverMixesTenantsInABlock) {
  MemPackStore store;
  const auto directory = WritePack(
      &store, kId, SmallBlocks(),
      {NumberedStream("a", 1, 2, 10), NumberedStream("b", 2, 2, 10), NumberedStream("b", 3, 2, 10)});
  ASSERT_TRUE(directory.ok());
  ASSERT_EQ(directory.value().blocks.size(), 2u);
  EXPECT_EQ(directory.value().blocks[0].range_count, 1u);
  EXPECT_EQ(directory.value().blocks[1].range_count, 2u);
  EXPECT_NE(directory.value().blocks[0].tenant, directory.value().blocks[1].tenant);
}

TEST(PackWriter, ClosesBlocksAtTheBoundsOfBytesAndRows) {
  MemPackStore store;
  const auto directory =
      WritePack(&store, kId, SmallBlocks(), {NumberedStream("a", 1, 200, 1), NumberedStream("a", 2, 40, 90)});
  ASSERT_TRUE(directory.ok());
  for (const PackBlock& block : directory.value().blocks) {
    EXPECT_LE(block.row_count, 50u);
    EXPECT_LE(block.line_bytes, 1000u);
  }
}

TEST(PackWriter, GivesABigStreamBlocksOfItsOwn) {
  MemPackStore store;
  const auto directory = WritePack(
      &store, kId, SmallBlocks(),
      {NumberedStream("a", 1, 10, 40), NumberedStream("a", 2, 30, 100), NumberedStream("a", 3, 2, 40)});
  ASSERT_TRUE(directory.ok());
  const auto& blocks = directory.value().blocks;
  ASSERT_GE(blocks.size(), 4u);
  EXPECT_EQ(blocks[0].range_count, 1u);  // the small one before it was not joined
  EXPECT_EQ(blocks[1].range_count, 1u);
  EXPECT_EQ(blocks[2].range_count, 1u);
  ExpectSound(store);
}

TEST(PackWriter, GivesALineLongerThanABlockABlock) {
  MemPackStore store;
  TestStream stream = NumberedStream("a", 1, 3, 10);
  stream.rows[1].line = std::string(1 << 20, 'y');
  const auto directory = WritePack(&store, kId, SmallBlocks(), {stream});
  ASSERT_TRUE(directory.ok()) << directory.status().ToString();
  EXPECT_EQ(directory.value().blocks.size(), 3u);
  const auto rows = ReadPack(store, kId);
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows.value().at("a" + stream.labels), stream.rows);
}

TEST(PackWriter, DropsExactDuplicatesEvenWhenNotNeighboursAndCountsThem) {
  MemPackStore store;
  const std::string metadata("\x01k\x01v", 4);
  const TestStream stream{"a",
                          1,
                          "l",
                          {{5, "A", ""},
                           {5, "B", ""},
                           {5, "A", ""},
                           {5, "A", metadata},
                           {5, "B", ""},
                           {6, "A", ""},
                           {6, "A", ""}}};
  const TestStream other{"a", 2, "m", {{6, "A", ""}}};  // the same row in another stream is no duplicate
  uint64_t duplicates = 0;
  ASSERT_TRUE(WritePack(&store, kId, SmallBlocks(), {stream, other}, &duplicates).ok());
  EXPECT_EQ(duplicates, 3u);
  const auto rows = ReadPack(store, kId);
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows.value().at("al"),
            (std::vector<TestRow>{{5, "A", ""}, {5, "B", ""}, {5, "A", metadata}, {6, "A", ""}}));
  EXPECT_EQ(rows.value().at("am"), (std::vector<TestRow>{{6, "A", ""}}));
}

TEST(PackWriter, FindsDuplicatesAcrossABlockBoundary) {
  PackWriterOptions options = SmallBlocks();
  options.block_rows = 2;
  MemPackStore store;
  uint64_t duplicates = 0;
  const TestStream stream{"a", 1, "l", {{5, "A", ""}, {5, "B", ""}, {5, "C", ""}, {5, "A", ""}}};
  ASSERT_TRUE(WritePack(&store, kId, options, {stream}, &duplicates).ok());
  EXPECT_EQ(duplicates, 1u);
}

TEST(PackWriter, RefusesAPackWithoutRows) {
  MemPackStore store;
  EXPECT_EQ(WritePack(&store, kId, SmallBlocks(), {}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(WritePack(&store, kId, SmallBlocks(), {NumberedStream("a", 1, 0, 0)}).status().code(),
            Code::kInvalidArgument);
  EXPECT_TRUE(store.List().value().empty());
}

TEST(VerifyPack, ReportsADamagedBlockADamagedDirectoryAndOneThatBelongsToAnother) {
  MemPackStore store;
  const auto streams = {NumberedStream("a", 1, 40, 100)};
  ASSERT_TRUE(WritePack(&store, kId, SmallBlocks(), streams).ok());
  std::string bytes(store.ReadBlock(kId, 1).value().view);
  const std::string good = bytes;
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  store.Overwrite(kId, 1, bytes);
  store.Overwrite(kId, 2, std::string(store.ReadBlock(kId, 0).value().view));
  std::set<uint32_t> damaged;
  EXPECT_FALSE(VerifyPack(store, kId, [&](const PackDamage& damage) {
    EXPECT_EQ(damage.status.code(), Code::kCorruption);
    EXPECT_THAT(damage.status.message(),
                testing::HasSubstr("block " + std::to_string(damage.block) + " of pack 1"));
    damaged.insert(damage.block);
  }));
  EXPECT_EQ(damaged, (std::set<uint32_t>{1, 2}));

  store.Overwrite(kId, kPackDirectoryBlock, "junk");
  damaged.clear();
  EXPECT_FALSE(VerifyPack(store, kId, [&](const PackDamage& damage) { damaged.insert(damage.block); }));
  EXPECT_EQ(damaged, (std::set<uint32_t>{kPackDirectoryBlock}));
}

}  // namespace
}  // namespace varve
