#include "engine/packs/pack_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "engine/base/bytes.h"
#include "engine/codec/checksum.h"
#include "engine/packs/pack_id.h"

namespace varve {
namespace {

using testing::HasSubstr;

PackDirectory Sample() {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  PackDirectory d;
  d.tenants = {"fake", "other"};
  d.streams = {{1, 0, "labels-1"}, {~0ULL, 0, ""}, {3, 1, "labels-3"}};
  d.blocks = {{7, 70, 50, 0, kMin, kMax, 0, 2}, {1, 0, 9, 1, 5, 5, 2, 1}};
  d.ranges = {{0, 0, 3, 30, kMin, 0}, {1, 3, 4, 40, -5, kMax}, {2, 0, 1, 0, 5, 5}};
  d.row_count = 8;
  d.line_bytes = 70;
  d.encoded_bytes = 59;
  d.min_ts_ns = kMin;
  d.max_ts_ns = kMax;
  return d;
}

std::string Encoded(const PackDirectory& directory) {
  std::string bytes;
  EncodePackDirectory(directory, &bytes);
  return bytes;
}

// A directory with the given payload, not compressed, its checksum right.
std::string WithPayload(std::string_view payload) {
  std::string bytes("VPD1\x01\x00\x00\x00", 8);
  PutFixed(&bytes, static_cast<uint32_t>(payload.size()));
  PutFixed(&bytes, static_cast<uint32_t>(payload.size()));
  bytes += payload;
  PutFixed(&bytes, Checksum(bytes));
  return bytes;
}

TEST(PackDirectory, ComesBackAsItWas) {
  const auto decoded = DecodePackDirectory(Encoded(Sample()));
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  EXPECT_EQ(decoded.value(), Sample());
}

TEST(PackDirectory, RefusesEveryTruncationAndFindsEveryFlippedBit) {
  const std::string good = Encoded(Sample());
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(DecodePackDirectory(good.substr(0, size)).status().code(), Code::kCorruption) << size;
  }
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(DecodePackDirectory(bad).status().code(), Code::kCorruption) << bit;
  }
}

TEST(PackDirectory, NamesAnUnknownVersion) {
  std::string bytes = Encoded(Sample());
  bytes[4] = 9;
  EXPECT_THAT(DecodePackDirectory(bytes).status().message(),
              HasSubstr("version 9 at offset 4, this build reads 1"));
}

struct BadPayload {
  const char* name;
  std::string payload;
};

class PackDirectoryForged : public testing::TestWithParam<BadPayload> {};

TEST_P(PackDirectoryForged, IsRefusedEvenWithARightChecksum) {
  EXPECT_EQ(DecodePackDirectory(WithPayload(GetParam().payload)).status().code(), Code::kCorruption);
}

std::string Varints(std::initializer_list<uint64_t> values) {
  std::string out;
  for (const uint64_t value : values) PutVarint(&out, value);
  return out;
}

// One tenant "t", one stream, one block whose fields follow.
std::string OneBlock(std::initializer_list<uint64_t> fields) {
  return Varints({1, 1}) + "t" + Varints({1}) + std::string(8, '\0') + Varints({0, 0}) + Varints({1}) +
         Varints(fields);
}

constexpr uint64_t kHuge = std::numeric_limits<uint64_t>::max();

INSTANTIATE_TEST_SUITE_P(
    Payloads, PackDirectoryForged,
    testing::Values(BadPayload{"nothing", ""}, BadPayload{"tenants", Varints({kHuge})},
                    BadPayload{"streams", Varints({0, kHuge})}, BadPayload{"blocks", Varints({0, 0, kHuge})},
                    BadPayload{"trailing", Varints({0, 0, 0, 0})},
                    BadPayload{"stream_of_no_tenant",
                               Varints({0, 1}) + std::string(8, '\0') + Varints({0, 0, 0})},
                    // tenant, encoded, min, ranges | stream, rows, bytes, min, span
                    BadPayload{"no_ranges", OneBlock({0, 1, 0, 0})},
                    BadPayload{"ranges", OneBlock({0, 1, 0, kHuge})},
                    BadPayload{"no_such_tenant", OneBlock({1, 1, 0, 1, 0, 1, 1, 0, 0})},
                    BadPayload{"no_such_stream", OneBlock({0, 1, 0, 1, 2, 1, 1, 0, 0})},
                    BadPayload{"negative_stream", OneBlock({0, 1, 0, 1, 1, 1, 1, 0, 0})},
                    BadPayload{"no_rows", OneBlock({0, 1, 0, 1, 0, 0, 1, 0, 0})},
                    BadPayload{"rows", OneBlock({0, 1, 0, 1, 0, kHuge, 1, 0, 0})},
                    BadPayload{"line_bytes", OneBlock({0, 1, 0, 1, 0, 1, kHuge, 0, 0})},
                    BadPayload{"least_missing", OneBlock({0, 1, 0, 1, 0, 1, 1, 1, 0})},
                    BadPayload{"time_overflow", OneBlock({0, 1, 2, 1, 0, 1, 1, 0, kHuge})}),
    [](const auto& param) { return param.param.name; });

TEST(PackDirectory, TheForgedOnesDifferFromAGoodOneByOneFieldOnly) {
  EXPECT_TRUE(DecodePackDirectory(WithPayload(OneBlock({0, 1, 0, 1, 0, 1, 1, 0, 0}))).ok());
}

TEST(PackKey, SortsAsPackIdsDoAndComesBack) {
  const std::vector<PackId> ids = {{0, std::numeric_limits<int32_t>::min(), 0, 0},
                                   {0, -1, 5, 9},
                                   {0, 0, 0, 1},
                                   {0, 0, 1, 0},
                                   {0, 493712, 0, 2},
                                   {0, 493712, 0, 300},
                                   {0, std::numeric_limits<int32_t>::max(), 0, 0},
                                   {1, 0, 0, 0}};
  for (size_t i = 0; i < ids.size(); ++i) {
    const std::string key = PackKey(ids[i], kPackDirectoryBlock);
    EXPECT_EQ(key.size(), kPackKeySize);
    PackId id;
    uint32_t block = 0;
    ASSERT_TRUE(ParsePackKey(key, &id, &block));
    EXPECT_EQ(id, ids[i]);
    EXPECT_EQ(block, kPackDirectoryBlock);
    if (i == 0) continue;
    EXPECT_LT(ids[i - 1], ids[i]);
    EXPECT_LT(PackKey(ids[i - 1], kPackDirectoryBlock), PackKey(ids[i], 0));
  }
  PackId id;
  uint32_t block = 0;
  EXPECT_FALSE(ParsePackKey("short", &id, &block));
  EXPECT_FALSE(ParsePackKey(std::string(kPackKeySize + 1, 'x'), &id, &block));
}

TEST(BucketOf, RoundsDownBeforeTheEpochAndClampsWhatDoesNotFit) {
  EXPECT_EQ(BucketOf(0, 10), 0);
  EXPECT_EQ(BucketOf(9, 10), 0);
  EXPECT_EQ(BucketOf(-1, 10), -1);
  EXPECT_EQ(BucketOf(-10, 10), -1);
  EXPECT_EQ(BucketOf(-11, 10), -2);
  EXPECT_EQ(BucketOf(std::numeric_limits<int64_t>::max(), 1), std::numeric_limits<int32_t>::max());
  EXPECT_EQ(BucketOf(std::numeric_limits<int64_t>::min(), 1), std::numeric_limits<int32_t>::min());
  EXPECT_EQ(BucketOf(std::numeric_limits<int64_t>::min(), 3'600'000'000'000), -2562048);
}

}  // namespace
}  // namespace varve
