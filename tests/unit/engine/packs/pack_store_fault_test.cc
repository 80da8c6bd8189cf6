// Every failing write, sync, link and rename on the way of a pack to the disk: the store says so, keeps
// nothing half, and goes on when the disk does.
#include <gtest/gtest.h>

#include <set>

#include "engine/packs/pack_store.h"
#include "engine/packs/rocksdb_pack_store.h"
#include "tests/support/faulty_env.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/engine/packs/pack_rows.h"

namespace varve {
namespace {

using Fault = FaultyEnv::Error;

const PackId kFirst{0, 1, 1, 1};
const PackId kSecond{0, 1, 1, 2};
const PackId kRetry{0, 1, 1, 3};

Status Write(PackStore* store, const PackId& id) {
  PackWriterOptions options;
  options.block_bytes = 2000;
  return WritePack(store, id, options, {NumberedStream("t", id.number, 60, 100)}).status().Clone();
}

std::unique_ptr<PackStore> OpenStore(const TempDir& dir, rocksdb::Env* env) {
  auto store = OpenRocksDbPackStore({dir.path(), env, false});
  EXPECT_TRUE(store.ok()) << store.status().ToString();
  return store.ok() ? std::move(store).value() : nullptr;
}

// What is listed is whole. Returns the packs' numbers.
std::set<uint64_t> SoundPacks(const PackStore& store) {
  std::set<uint64_t> numbers;
  const auto packs = store.List();
  EXPECT_TRUE(packs.ok()) << packs.status().ToString();
  for (const PackInfo& info : packs.value()) {
    numbers.insert(info.id.number);
    VerifyPack(store, info.id, [](const PackDamage& damage) { ADD_FAILURE() << damage.status.ToString(); });
  }
  return numbers;
}

class FailingDisk : public testing::TestWithParam<Fault> {};

TEST_P(FailingDisk, LosesNoCommittedPackAndKeepsNoHalfOneAtAnyPointOfAWrite) {
  bool passed_all = false;
  for (uint64_t n = 1; !passed_all; ++n) {
    SCOPED_TRACE("change " + std::to_string(n));
    ASSERT_LT(n, 1000u);
    const TempDir dir;
    FaultyEnv disk;
    bool written = false;
    {
      const auto store = OpenStore(dir, disk.env());
      ASSERT_NE(store, nullptr);
      ASSERT_TRUE(Write(store.get(), kFirst).ok());
      disk.Arm({.fail_at = n, .once = true, .error = GetParam()});
      const Status status = Write(store.get(), kSecond);
      passed_all = !disk.failed();
      disk.Disarm();
      written = status.ok();
      if (!written) {
        EXPECT_EQ(status.code(), GetParam() == Fault::kNoSpace ? Code::kStorageFull : Code::kIoError)
            << status.ToString();
        // The disk works again: so does the store, without being reopened.
        const Status retry = Write(store.get(), kRetry);
        EXPECT_TRUE(retry.ok()) << retry.ToString();
      }
      const auto numbers = SoundPacks(*store);
      EXPECT_TRUE(numbers.contains(1));
      EXPECT_EQ(numbers.contains(2), written);
      EXPECT_EQ(numbers.contains(3), !written);
    }
    const auto store = OpenStore(dir, nullptr);
    ASSERT_NE(store, nullptr);
    const auto numbers = SoundPacks(*store);
    EXPECT_TRUE(numbers.contains(1));
    EXPECT_EQ(numbers.contains(3), !written);
    EXPECT_TRUE(!written || numbers.contains(2));  // not written, it may still be there, whole, as an orphan
  }
}

TEST_P(FailingDisk, KeepsEachPackWholeOrDropsItWhenADropFails) {
  bool passed_all = false;
  for (uint64_t n = 1; !passed_all; ++n) {
    SCOPED_TRACE("change " + std::to_string(n));
    ASSERT_LT(n, 1000u);
    const TempDir dir;
    FaultyEnv disk;
    const auto store = OpenStore(dir, disk.env());
    ASSERT_TRUE(Write(store.get(), kFirst).ok());
    ASSERT_TRUE(Write(store.get(), kSecond).ok());
    disk.Arm({.fail_at = n, .once = true, .error = GetParam()});
    const std::vector<PackId> drop = {kFirst};
    const Status status = store->Drop(drop);
    passed_all = !disk.failed();
    disk.Disarm();
    EXPECT_TRUE(SoundPacks(*store).contains(2));
    if (!status.ok()) {
      const Status again = store->Drop(drop);
      EXPECT_TRUE(again.ok()) << again.ToString();
    }
    EXPECT_EQ(SoundPacks(*store), (std::set<uint64_t>{2}));
  }
}

TEST(PackStoreOnAFullDisk, RefusesPacksUntilThereIsRoomAndReadsMeanwhile) {
  const TempDir dir;
  FaultyEnv disk;
  const auto store = OpenStore(dir, disk.env());
  ASSERT_TRUE(Write(store.get(), kFirst).ok());
  disk.Arm({.fail_at = 1, .error = Fault::kNoSpace});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Write(store.get(), kSecond).code(), Code::kStorageFull);
  EXPECT_EQ(SoundPacks(*store), (std::set<uint64_t>{1}));
  disk.Disarm();
  const Status status = Write(store.get(), kRetry);
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(SoundPacks(*store), (std::set<uint64_t>{1, 3}));
}

INSTANTIATE_TEST_SUITE_P(Faults, FailingDisk, testing::Values(Fault::kIo, Fault::kNoSpace),
                         [](const auto& param) {
                           return param.param == Fault::kIo ? "IoError" : "NoSpace";
                         });

}  // namespace
}  // namespace varve
