#include "ingest/loki_protobuf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/push_bodies.h"

namespace varve {
namespace {

using testing::PutField;
using ::testing::StartsWith;

class LokiProtobuf : public ::testing::Test {
 protected:
  Status Decode(std::string_view body) {
    decoded_.Clear();
    DecodeMemory memory(&budget_, DecodeMemory::Mode::kMayRefuse);
    return DecodeLokiProtobuf(body, &decoded_, &memory);
  }
  std::string Error(std::string_view body) { return std::string(Decode(body).message()); }

  // A body of one stream that has one entry with these fields.
  static std::string EntryBody(std::string_view entry) {
    std::string stream;
    PutField(&stream, 1, "{}");
    PutField(&stream, 2, entry);
    std::string body;
    PutField(&body, 1, stream);
    return body;
  }
  static std::string Timestamp(int64_t seconds, int64_t nanos) {
    std::string stamp = "\x08";
    PutVarint(&stamp, static_cast<uint64_t>(seconds));
    stamp += '\x10';
    PutVarint(&stamp, static_cast<uint64_t>(nanos));
    std::string entry;
    PutField(&entry, 1, stamp);
    return EntryBody(entry);
  }

  MemoryBudget budget_{"test", 1 << 20};
  DecodedPush decoded_;
};

TEST_F(LokiProtobuf, GivesViewsIntoTheBody) {
  const std::string body = testing::ProtobufBody(
      {{{{"a", "b"}}, {{7, "one", {}}, {1'000'000'002, "two", {{"k", "v"}, {"l", "w"}}}}},
       {{{"c", "d"}}, {{-1, "", {}}}}});
  ASSERT_TRUE(Decode(body).ok());
  ASSERT_EQ(decoded_.streams.size(), 2u);
  EXPECT_EQ(decoded_.streams[0].labels, "{a=\"b\"}");
  EXPECT_EQ(decoded_.streams[0].count, 2u);
  EXPECT_EQ(decoded_.streams[1].begin, 2u);
  ASSERT_EQ(decoded_.entries.size(), 3u);
  EXPECT_EQ(decoded_.entries[0].ts_ns, 7);
  EXPECT_EQ(decoded_.entries[1].ts_ns, 1'000'000'002);
  EXPECT_EQ(decoded_.entries[2].ts_ns, -1);
  EXPECT_EQ(decoded_.entries[1].line, "two");
  EXPECT_GE(decoded_.entries[1].line.data(), body.data());
  EXPECT_LE(decoded_.entries[1].line.data(), body.data() + body.size());
  ASSERT_EQ(decoded_.metadata.size(), 1u);
  EXPECT_EQ(decoded_.metadata[0].entry, 1u);
  EXPECT_EQ(decoded_.metadata[0].count, 2u);
  EXPECT_EQ(decoded_.pairs[1], MetadataPair("l", "w"));
}

TEST_F(LokiProtobuf, AnAbsentTimestampIsZero) {
  ASSERT_TRUE(Decode(EntryBody("")).ok());
  EXPECT_EQ(decoded_.entries[0].ts_ns, 0);
}

TEST_F(LokiProtobuf, SkipsUnknownFieldsOfEveryType) {
  std::string unknown;
  unknown += std::string("\x98\x06\x01", 3);                 // 99: varint
  unknown += std::string("\x99\x06") + std::string(8, 'x');  // 99: 64 bits
  unknown += std::string("\x9d\x06") + std::string(4, 'x');  // 99: 32 bits
  PutField(&unknown, 99, "bytes");
  unknown += std::string("\x9b\x06\x0b\x08\x01\x0c\x9c\x06", 8);  // 99: a group with a group inside
  std::string entry;
  PutField(&entry, 2, "line");
  std::string body = EntryBody(entry + unknown) + unknown;
  ASSERT_TRUE(Decode(body).ok()) << Error(body);
  ASSERT_EQ(decoded_.entries.size(), 1u);
  EXPECT_EQ(decoded_.entries[0].line, "line");
}

TEST_F(LokiProtobuf, BoundsTimestamps) {
  EXPECT_TRUE(Decode(Timestamp(9'223'372'036, 854'775'807)).ok());
  EXPECT_EQ(decoded_.entries[0].ts_ns, INT64_MAX);
  EXPECT_TRUE(Decode(Timestamp(9'223'372'037, 0)).ok());
  EXPECT_EQ(decoded_.entries[0].ts_ns, kTimestampTooNewNs);
  EXPECT_TRUE(Decode(Timestamp(-9'223'372'038, 0)).ok());
  EXPECT_EQ(decoded_.entries[0].ts_ns, kTimestampTooOldNs);
  EXPECT_THAT(Error(Timestamp(253'402'300'800, 0)), StartsWith("proto: timestamp: seconds"));
  EXPECT_THAT(Error(Timestamp(-62'135'596'801, 0)), StartsWith("proto: timestamp: seconds"));
  EXPECT_THAT(Error(Timestamp(0, 1'000'000'000)), StartsWith("proto: timestamp: nanos"));
  EXPECT_THAT(Error(Timestamp(0, -1)), StartsWith("proto: timestamp: nanos"));
}

TEST_F(LokiProtobuf, RefusesMalformedMessages) {
  EXPECT_THAT(Error("\x0a\x05x"), StartsWith("proto: PushRequest: unexpected EOF"));
  EXPECT_THAT(Error("\x08\x01"), StartsWith("proto: wrong wireType = 0 for field 1 of PushRequest"));
  EXPECT_THAT(Error(std::string("\x00\x01", 2)), StartsWith("proto: PushRequest: illegal tag 0"));
  EXPECT_THAT(Error(EntryBody("\x10\x01")), StartsWith("proto: wrong wireType = 0 for field 2 of Entry"));
  EXPECT_THAT(Error(EntryBody("\x12\x7f")), StartsWith("proto: Entry: unexpected EOF"));
  EXPECT_THAT(Error(EntryBody("\x0a\x01\x08")), StartsWith("proto: Timestamp: unexpected EOF"));
  EXPECT_THAT(Error(EntryBody("\x1a\x02\x0a\x05")), StartsWith("proto: LabelPair: unexpected EOF"));
  EXPECT_THAT(Error(std::string(12, '\xff')), StartsWith("proto: PushRequest: unexpected EOF"));
  EXPECT_THAT(Error(std::string(200, '\x9b')), StartsWith("proto: "));  // groups in groups in …
  EXPECT_THAT(Error("\x9c\x06"), StartsWith("proto: PushRequest: unexpected EOF"));
}

TEST_F(LokiProtobuf, CutShortAnywhereIsAnErrorOrAnEarlierEnd) {
  const std::string body = testing::ProtobufBody({{{{"a", "b"}}, {{7, "one", {{"k", "v"}}}}}});
  for (size_t size = 1; size < body.size(); ++size) {
    EXPECT_EQ(Decode(body.substr(0, size)).code(), Code::kInvalidArgument) << size;
  }
}

}  // namespace
}  // namespace varve
