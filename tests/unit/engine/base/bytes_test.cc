#include "engine/base/bytes.h"

#include <gtest/gtest.h>

#include <limits>

namespace varve {
namespace {

TEST(Bytes, VarintsRoundTrip) {
  for (const uint64_t value : {uint64_t{0}, uint64_t{127}, uint64_t{128}, uint64_t{1} << 32, ~uint64_t{0}}) {
    std::string out;
    PutVarint(&out, value);
    ByteReader reader(out);
    EXPECT_EQ(reader.Varint(), value);
    EXPECT_TRUE(reader.AtEnd());
  }
  for (const int64_t value : {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}) {
    std::string out;
    PutSignedVarint(&out, value);
    ByteReader reader(out);
    EXPECT_EQ(reader.SignedVarint(), value);
  }
}

TEST(Bytes, AReaderStopsAtTheEndAndStaysFailed) {
  ByteReader reader("abc");
  EXPECT_EQ(reader.Fixed<uint32_t>(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.Bytes(1), "");
  EXPECT_FALSE(reader.AtEnd());
}

TEST(Bytes, RefusesOverlongVarints) {
  ByteReader eleven(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11));
  eleven.Varint();
  EXPECT_FALSE(eleven.ok());
  ByteReader truncated(std::string_view("\xff\xff", 2));
  truncated.Varint();
  EXPECT_FALSE(truncated.ok());
}

}  // namespace
}  // namespace varve
