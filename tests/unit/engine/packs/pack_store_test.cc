// Both stores against the same expectations, then what only files on disk can show.
#include "engine/packs/pack_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "engine/packs/mem_pack_store.h"
#include "engine/packs/rocksdb_pack_store.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/engine/packs/pack_rows.h"

namespace varve {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::unique_ptr<PackStore> OpenIn(const fs::path& path, bool read_only = false) {
  auto store = OpenRocksDbPackStore({path.string(), nullptr, read_only});
  EXPECT_TRUE(store.ok()) << store.status().ToString();
  return store.ok() ? std::move(store).value() : nullptr;
}

std::vector<PackId> Ids(const PackStore& store) {
  std::vector<PackId> ids;
  auto packs = store.List();
  EXPECT_TRUE(packs.ok()) << packs.status().ToString();
  for (const PackInfo& info : packs.value()) {
    EXPECT_GT(info.bytes_on_disk, 0u);
    ids.push_back(info.id);
  }
  return ids;
}

void Write(PackStore* store, const PackId& id) {
  PackWriterOptions options;
  options.block_bytes = 2000;
  const auto directory = WritePack(store, id, options, {NumberedStream("t", id.number, 100, 100)});
  ASSERT_TRUE(directory.ok()) << directory.status().ToString();
}

std::vector<fs::path> SstFiles(const fs::path& path) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.path().extension() == ".sst") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

enum class Kind { kMem, kRocksDb };

class AnyPackStore : public testing::TestWithParam<Kind> {
 protected:
  AnyPackStore() {
    if (GetParam() == Kind::kMem) {
      store_ = std::make_unique<MemPackStore>();
    } else {
      store_ = OpenIn(fs::path(dir_.path()) / "packs");
    }
  }
  TempDir dir_;
  std::unique_ptr<PackStore> store_;
};

TEST_P(AnyPackStore, ReadsBackWhatWasCommitted) {
  const PackId id{0, 5, 2, 17};
  Write(store_.get(), id);
  const auto rows = ReadPack(*store_, id);
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ(rows.value().at("tlabels-17"), NumberedStream("t", 17, 100, 100).rows);
  EXPECT_TRUE(VerifyPack(*store_, id, [](const PackDamage& d) { ADD_FAILURE() << d.status.ToString(); }));
}

TEST_P(AnyPackStore, ListsPacksInOrderWhateverTheOrderOfWriting) {
  const std::vector<PackId> ids = {{0, -3, 1, 4}, {0, 5, 1, 3}, {0, 5, 2, 1}, {0, 9, 0, 2}, {1, 5, 0, 5}};
  for (const size_t i : {2, 3, 1, 0, 4}) Write(store_.get(), ids[i]);
  EXPECT_EQ(Ids(*store_), ids);
}

TEST_P(AnyPackStore, LeavesNothingOfAPackThatWasNotCommitted) {
  {
    auto pending = store_->Begin({0, 1, 1, 1});
    ASSERT_TRUE(pending.ok());
    ASSERT_TRUE(pending.value()->AddBlock("block").ok());
  }
  EXPECT_TRUE(Ids(*store_).empty());
  Write(store_.get(), {0, 1, 1, 1});  // the number is free again
}

TEST_P(AnyPackStore, SaysWhichPackOrBlockIsNotThere) {
  const auto no_pack = store_->ReadBlock({0, 5, 2, 17}, 0);
  EXPECT_EQ(no_pack.status().code(), Code::kNotFound);
  EXPECT_THAT(no_pack.status().message(), HasSubstr("pack 17 (bucket 5, shard 2)"));
  Write(store_.get(), {0, 5, 2, 17});
  EXPECT_EQ(store_->ReadBlock({0, 5, 2, 17}, 9999).status().code(), Code::kNotFound);
  EXPECT_EQ(store_->ReadDirectory({0, 5, 2, 18}).status().code(), Code::kNotFound);
}

TEST_P(AnyPackStore, RefusesToWriteAPackTwice) {
  Write(store_.get(), {0, 1, 1, 1});
  EXPECT_EQ(store_->Begin({0, 1, 1, 1}).status().code(), Code::kInvalidArgument);
}

TEST_P(AnyPackStore, DropsThePacksNamedAndNoOthers) {
  for (uint64_t n = 1; n <= 5; ++n) Write(store_.get(), {0, 1, 1, n});
  const std::vector<PackId> drop = {{0, 1, 1, 2}, {0, 1, 1, 4}, {0, 1, 1, 99}};
  ASSERT_TRUE(store_->Drop(drop).ok());
  EXPECT_EQ(Ids(*store_), (std::vector<PackId>{{0, 1, 1, 1}, {0, 1, 1, 3}, {0, 1, 1, 5}}));
  EXPECT_EQ(store_->ReadBlock({0, 1, 1, 2}, 0).status().code(), Code::kNotFound);
  EXPECT_TRUE(store_->ReadBlock({0, 1, 1, 3}, 0).ok());
  ASSERT_TRUE(store_->Drop({}).ok());
}

TEST_P(AnyPackStore, DropsTheBucketsOfOneClass) {
  const std::vector<PackId> ids = {{0, -2, 0, 1}, {0, -1, 9, 2}, {0, 0, 0, 3}, {0, 1, 0, 4}, {1, -1, 0, 5}};
  for (const PackId& id : ids) Write(store_.get(), id);
  ASSERT_TRUE(store_->DropBuckets(0, -2, 1).ok());
  EXPECT_EQ(Ids(*store_), (std::vector<PackId>{ids[3], ids[4]}));
  ASSERT_TRUE(store_->DropBuckets(0, 5, 5).ok());
  EXPECT_EQ(Ids(*store_).size(), 2u);
}

INSTANTIATE_TEST_SUITE_P(Twins, AnyPackStore, testing::Values(Kind::kMem, Kind::kRocksDb),
                         [](const auto& param) { return param.param == Kind::kMem ? "Mem" : "RocksDb"; });

TEST(RocksDbPackStore, KeepsPacksOverReopenWithOneFileEach) {
  const TempDir dir;
  {
    const auto store = OpenIn(dir.path());
    for (uint64_t n = 1; n <= 3; ++n) Write(store.get(), {0, 1, 1, n});
  }
  EXPECT_EQ(SstFiles(dir.path()).size(), 3u);
  const auto store = OpenIn(dir.path());
  EXPECT_EQ(Ids(*store).size(), 3u);
  EXPECT_TRUE(ReadPack(*store, {0, 1, 1, 2}).ok());
}

TEST(RocksDbPackStore, FreesTheSpaceOfDroppedPacksAtOnce) {
  const TempDir dir;
  const auto store = OpenIn(dir.path());
  for (uint64_t n = 1; n <= 4; ++n) Write(store.get(), {0, static_cast<int32_t>(n), 1, n});
  ASSERT_TRUE(store->DropBuckets(0, 0, 4).ok());
  EXPECT_EQ(SstFiles(dir.path()).size(), 1u);
}

TEST(RocksDbPackStore, RemovesAtOpenWhatACrashLeftHalfWritten) {
  const TempDir dir;
  OpenIn(dir.path()).reset();
  const fs::path left = fs::path(dir.path()) / "pending" / "7.sst";
  std::ofstream(left) << "half a pack";
  const auto store = OpenIn(dir.path());
  EXPECT_FALSE(fs::exists(left));
  Write(store.get(), {0, 1, 1, 7});
}

TEST(RocksDbPackStore, RefusesASecondOpenerAndNamesThePath) {
  const TempDir dir;
  const auto store = OpenIn(dir.path());
  const auto second = OpenRocksDbPackStore({dir.path(), nullptr, false});
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.status().message(), HasSubstr(dir.path()));
}

TEST(RocksDbPackStore, ReadOnlyCanBeOpenedBesideTheOwnerAndChangesNothing) {
  const TempDir dir;
  const auto owner = OpenIn(dir.path());
  Write(owner.get(), {0, 1, 1, 1});
  const auto files = [&dir] {
    std::map<std::string, uintmax_t> sizes;
    for (const auto& entry : fs::recursive_directory_iterator(dir.path())) {
      if (entry.is_regular_file()) sizes[entry.path().string()] = entry.file_size();
    }
    return sizes;
  };
  const auto before = files();
  const auto reader = OpenIn(dir.path(), /*read_only=*/true);
  EXPECT_TRUE(ReadPack(*reader, {0, 1, 1, 1}).ok());
  EXPECT_EQ(files(), before);
  EXPECT_EQ(reader->Begin({0, 1, 1, 2}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(reader->DropBuckets(0, 0, 9).code(), Code::kInvalidArgument);
  const std::vector<PackId> ids = {{0, 1, 1, 1}};
  EXPECT_EQ(reader->Drop(ids).code(), Code::kInvalidArgument);
}

TEST(RocksDbPackStore, ReportsADamagedBlockAndReadsTheOthers) {
  const TempDir dir;
  {
    const auto store = OpenIn(dir.path());
    Write(store.get(), {0, 1, 1, 1});
    Write(store.get(), {0, 1, 1, 2});
  }
  const fs::path file = SstFiles(dir.path())[0];
  {
    std::fstream f(file, std::ios::in | std::ios::out | std::ios::binary);
    f.seekp(300);  // inside the first block's value
    f.put('\x5a');
    f.put('\xa5');
  }
  const auto store = OpenIn(dir.path());
  size_t damaged = 0;
  for (const PackId& id : Ids(*store)) {
    VerifyPack(*store, id, [&](const PackDamage& damage) {
      ++damaged;
      EXPECT_EQ(damage.id.number, 1u);
      EXPECT_EQ(damage.block, 0u);
      EXPECT_EQ(damage.status.code(), Code::kCorruption);
      EXPECT_THAT(damage.status.message(), HasSubstr("block 0 of pack 1"));
    });
  }
  EXPECT_EQ(damaged, 1u);
}

TEST(RocksDbPackStore, RefusesADamagedManifestRatherThanForgetPacks) {
  const TempDir dir;
  {
    const auto store = OpenIn(dir.path());
    for (uint64_t n = 1; n <= 5; ++n) Write(store.get(), {0, 1, 1, n});
  }
  fs::path manifest;
  for (const auto& entry : fs::directory_iterator(dir.path())) {
    if (entry.path().filename().string().starts_with("MANIFEST")) manifest = entry.path();
  }
  {
    std::fstream f(manifest, std::ios::in | std::ios::out | std::ios::binary);
    f.seekp(static_cast<std::streamoff>(fs::file_size(manifest) / 2));
    f.put('\x5a');
  }
  for (const bool read_only : {false, true}) {
    const auto store = OpenRocksDbPackStore({dir.path(), nullptr, read_only});
    ASSERT_FALSE(store.ok());
    EXPECT_EQ(store.status().code(), Code::kCorruption);
    EXPECT_THAT(store.status().message(), HasSubstr(dir.path()));
  }
}

TEST_P(AnyPackStore, LetsThreadsWriteReadAndDropAtOnce) {
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (uint64_t i = 0; i < 5; ++i) {
        const PackId id{0, static_cast<int32_t>(i), static_cast<uint16_t>(t), 1 + t * 100 + i};
        Write(store_.get(), id);
        EXPECT_TRUE(
            VerifyPack(*store_, id, [](const PackDamage& d) { ADD_FAILURE() << d.status.ToString(); }));
        EXPECT_TRUE(store_->List().ok());
        const std::vector<PackId> drop = {id};
        if (i % 2 == 0) {
          EXPECT_TRUE(store_->Drop(drop).ok());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Ids(*store_).size(), 8u);
}

enum class Loss { kMissing, kTruncated };
class LostPackFile : public testing::TestWithParam<Loss> {};

TEST_P(LostPackFile, CostsItsOwnPackOnly) {
  const TempDir dir;
  {
    const auto store = OpenIn(dir.path());
    for (uint64_t n = 1; n <= 2; ++n) Write(store.get(), {0, 1, 1, n});
  }
  const fs::path file = SstFiles(dir.path())[0];
  if (GetParam() == Loss::kMissing) {
    fs::remove(file);
  } else {
    fs::resize_file(file, fs::file_size(file) / 2);
  }
  for (const bool read_only : {true, false}) {
    const auto store = OpenIn(dir.path(), read_only);
    ASSERT_NE(store, nullptr);
    const auto packs = store->List();
    ASSERT_TRUE(packs.ok());
    ASSERT_EQ(packs.value().size(), 2u);
    EXPECT_FALSE(packs.value()[0].readable);
    EXPECT_TRUE(packs.value()[1].readable);
    EXPECT_FALSE(VerifyPack(*store, {0, 1, 1, 1}, [&](const PackDamage& damage) {
      EXPECT_THAT(damage.status.message(), HasSubstr("pack 1"));
      EXPECT_THAT(damage.status.message(), HasSubstr(file.stem().string()));
    }));
    EXPECT_TRUE(
        VerifyPack(*store, {0, 1, 1, 2}, [](const PackDamage& d) { ADD_FAILURE() << d.status.ToString(); }));
  }
  {
    // It can be given up, and the store goes on.
    const auto store = OpenIn(dir.path());
    const std::vector<PackId> ids = {{0, 1, 1, 1}};
    const Status dropped = store->Drop(ids);
    EXPECT_TRUE(dropped.ok()) << dropped.ToString();
    EXPECT_EQ(Ids(*store), (std::vector<PackId>{{0, 1, 1, 2}}));
    Write(store.get(), {0, 1, 1, 3});
  }
  EXPECT_EQ(Ids(*OpenIn(dir.path())).size(), 2u);
}

INSTANTIATE_TEST_SUITE_P(Losses, LostPackFile, testing::Values(Loss::kMissing, Loss::kTruncated),
                         [](const auto& param) {
                           return param.param == Loss::kMissing ? "Missing" : "Truncated";
                         });

}  // namespace
}  // namespace varve
