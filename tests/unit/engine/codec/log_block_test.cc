#include "engine/codec/log_block.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <tuple>

#include "engine/base/bytes.h"
#include "engine/codec/checksum.h"
#include "engine/codec/log_block_builder.h"
#include "engine/model/log_entry.h"

namespace varve {
namespace {

using testing::HasSubstr;

constexpr int64_t kMinTs = std::numeric_limits<int64_t>::min();
constexpr int64_t kMaxTs = std::numeric_limits<int64_t>::max();
constexpr ColumnMask kAll = kTimestamps | kLines | kMetadata;

struct Row {
  int64_t ts_ns;
  std::string line;
  std::string metadata;
};
struct Stream {
  uint64_t fingerprint;
  std::vector<Row> rows;
};

std::string Metadata(std::vector<MetadataPair> pairs) {
  std::string out;
  EncodeMetadata(&pairs, &out);
  return out;
}

std::string Encode(const std::vector<Stream>& streams) {
  LogBlockBuilder builder;
  for (const Stream& stream : streams) {
    builder.StartStream(stream.fingerprint);
    for (const Row& row : stream.rows) EXPECT_TRUE(builder.Add(row.ts_ns, row.line, row.metadata).ok());
  }
  std::string bytes;
  EXPECT_TRUE(builder.Encode(&bytes).ok());
  return bytes;
}

void ExpectRows(const std::vector<Stream>& streams, const LogColumns& columns) {
  uint32_t i = 0;
  for (const Stream& stream : streams) {
    for (const Row& row : stream.rows) {
      ASSERT_LT(i, columns.row_count);
      EXPECT_EQ(columns.timestamps_ns[i], row.ts_ns) << i;
      EXPECT_EQ(columns.Line(i), row.line) << i;
      EXPECT_EQ(columns.Metadata(i), row.metadata) << i;
      ++i;
    }
  }
  EXPECT_EQ(i, columns.row_count);
}

std::vector<Stream> HostileRows() {
  return {{0,
           {{kMinTs, "", ""},
            {-1, "\xff\xfe invalid utf-8 \x80", ""},
            {0, "", ""},
            {kMaxTs, std::string("\0\n\r\x01", 4), ""}}},
          {1, {}},  // left out
          {~0ULL, {{5, std::string(1 << 20, 'x'), Metadata({{"level", "info"}})}}},
          {3,
           {{7, "same", Metadata({{"a", "b"}})},
            {7, "same", Metadata({{"a", "b"}})},
            {7, "same", ""},
            {7, "same", "not metadata"}}}};
}

// 3,000 rows with a level of few values and an id of its own each; every tenth has no id.
std::vector<Stream> RowsWithIds() {
  Stream stream{9, {}};
  const char* levels[] = {"info", "warn", "error"};
  for (int i = 0; i < 3000; ++i) {
    const std::string id = "trace-" + std::to_string(i * 7919);
    std::vector<MetadataPair> pairs = {{"detected_level", levels[i % 3]}};
    if (i % 10 != 0) pairs.emplace_back("a_trace_id", id);
    if (i % 5 == 0) pairs.emplace_back("z", id);
    stream.rows.push_back(
        {1'700'000'000'000'000'000 + i * 1'000'000LL, "line " + std::to_string(i), Metadata(pairs)});
  }
  return {stream};
}

TEST(LogBlock, DecodesHostileRowsToWhatWasEncoded) {
  const std::string bytes = Encode(HostileRows());
  LogColumns columns;
  const Status status = DecodeLogBlock(bytes, kAll, &columns);
  ASSERT_TRUE(status.ok()) << status.ToString();
  ExpectRows(HostileRows(), columns);
  EXPECT_EQ(columns.lines.size(), columns.line_offsets.back() + LogColumns::kLinePaddingBytes);
  EXPECT_TRUE(VerifyLogBlock(bytes).ok());

  const auto header = ReadLogBlockHeader(bytes);
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header.value().row_count, 9u);
  EXPECT_EQ(header.value().min_ts_ns, kMinTs);
  EXPECT_EQ(header.value().max_ts_ns, kMaxTs);
  const auto streams = DecodeLogBlockStreams(bytes);
  ASSERT_TRUE(streams.ok());
  EXPECT_EQ(streams.value(), (std::vector<LogBlockStream>{{0, 4}, {~0ULL, 1}, {3, 4}}));
}

TEST(LogBlock, DecodesOnlyTheColumnsAskedFor) {
  const std::string bytes = Encode(RowsWithIds());
  for (ColumnMask want = 0; want < 16; ++want) {
    LogColumns columns;
    ASSERT_TRUE(DecodeLogBlock(bytes, want, &columns).ok());
    EXPECT_EQ(columns.row_count, 3000u);
    EXPECT_EQ(columns.timestamps_ns.empty(), (want & kTimestamps) == 0);
    EXPECT_EQ(columns.line_offsets.empty(), (want & (kLengths | kLines)) == 0);
    EXPECT_EQ(columns.lines.empty(), (want & kLines) == 0);
    EXPECT_EQ(columns.metadata_codes.empty(), (want & kMetadata) == 0);
    const auto bound = LogBlockDecodedBytes(bytes, want);
    ASSERT_TRUE(bound.ok());
    EXPECT_LE(columns.MemoryBytes(), bound.value()) << want;
  }
}

TEST(LogBlock, GivesMetadataThatDiffersFromRowToRowAColumnOfItsOwn) {
  const auto streams = RowsWithIds();
  const std::string bytes = Encode(streams);
  LogColumns columns;
  const Status status = DecodeLogBlock(bytes, kAll, &columns);
  ASSERT_TRUE(status.ok()) << status.ToString();
  ExpectRows(streams, columns);
}

TEST(LogBlock, KeepsManyDistinctSetsThatAreNotMetadataByteForByte) {
  Stream stream{1, {}};
  for (int i = 0; i < 1000; ++i) {
    stream.rows.push_back({i, "", std::string(1 + i % 7, '\xff') + std::to_string(i)});
  }
  // Well formed, but with a varint longer than need be, and names out of order.
  stream.rows.push_back({1000, "",
                         std::string("\x81\x00"
                                     "a\x01"
                                     "b",
                                     5)});
  stream.rows.push_back({1001, "",
                         std::string("\x01"
                                     "b\x01"
                                     "1\x01"
                                     "a\x01"
                                     "2",
                                     8)});
  LogColumns columns;
  ASSERT_TRUE(DecodeLogBlock(Encode({stream}), kAll, &columns).ok());
  ExpectRows({stream}, columns);
}

TEST(LogBlock, SpendsAtMostThreeTenthsOfAByteOnALevelPerRow) {
  const char* levels[] = {"info", "info", "info", "warn", "info", "error", "info", "debug"};
  Stream with{1, {}};
  Stream without{1, {}};
  uint64_t state = 1;
  for (int i = 0; i < 8000; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    with.rows.push_back({i, "x", Metadata({{"detected_level", levels[state >> 61]}})});
    without.rows.push_back({i, "x", ""});
  }
  EXPECT_LE(Encode({with}).size() - Encode({without}).size(), 8000 * 3 / 10);
}

TEST(LogBlock, HoldsNoRowsWhenGivenNone) {
  const std::string bytes = Encode({});
  LogColumns columns;
  ASSERT_TRUE(DecodeLogBlock(bytes, kAll, &columns).ok());
  EXPECT_EQ(columns.row_count, 0u);
  EXPECT_TRUE(VerifyLogBlock(bytes).ok());
}

TEST(LogBlock, RefusesALineBeyondTheLimitAndStaysUsable) {
  LogBlockBuilder builder;
  builder.StartStream(1);
  const std::string huge(kLogBlockLineBytesMax, 'x');
  ASSERT_TRUE(builder.Add(1, "x", "").ok());
  EXPECT_EQ(builder.Add(2, huge, "").code(), Code::kTooLarge);
  EXPECT_EQ(builder.row_count(), 1u);
  std::string bytes;
  ASSERT_TRUE(builder.Encode(&bytes).ok());
  EXPECT_TRUE(VerifyLogBlock(bytes).ok());
}

TEST(LogBlockBuilder, CanBeUsedAgainAfterClear) {
  LogBlockBuilder builder;
  builder.StartStream(1);
  ASSERT_TRUE(builder.Add(1, "first", Metadata({{"a", "1"}})).ok());
  builder.Clear();
  builder.StartStream(2);
  ASSERT_TRUE(builder.Add(2, "second", Metadata({{"b", "2"}})).ok());
  std::string bytes;
  ASSERT_TRUE(builder.Encode(&bytes).ok());
  LogColumns columns;
  ASSERT_TRUE(DecodeLogBlock(bytes, kAll, &columns).ok());
  ExpectRows({{2, {{2, "second", Metadata({{"b", "2"}})}}}}, columns);
}

// ---- Damage --------------------------------------------------------------------------------------

Status DecodeExactCopy(std::string_view bytes) {
  const std::vector<char> exact(bytes.begin(), bytes.end());  // so that asan sees a read past the end
  LogColumns columns;
  return DecodeLogBlock({exact.data(), exact.size()}, kAll, &columns);
}

TEST(LogBlock, RefusesEveryTruncation) {
  const std::string bytes =
      Encode({{1, {{1, "one", Metadata({{"a", "b"}})}, {2, "two", ""}}}, {2, {{1, "three", ""}}}});
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeExactCopy(bytes.substr(0, size)).code(), Code::kCorruption) << size;
  }
  EXPECT_EQ(DecodeExactCopy(bytes + '\0').code(), Code::kCorruption);
}

TEST(LogBlock, FindsEveryFlippedBit) {
  const std::string good =
      Encode({{1, {{1, "one", Metadata({{"a", "b"}})}, {2, "two", ""}}}, {2, {{1, "three", ""}}}});
  ASSERT_TRUE(DecodeExactCopy(good).ok());
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(DecodeExactCopy(bad).code(), Code::kCorruption) << "bit " << bit;
  }
}

TEST(LogBlock, NamesTheDamagedSectionAndKeepsTheOthersReadable) {
  const std::string good = Encode(RowsWithIds());
  const size_t sections = static_cast<uint8_t>(good[6]);
  ASSERT_EQ(sections, 5u);
  const char* names[] = {"STREAMS", "TIMESTAMPS", "LENGTHS", "LINES", "METADATA"};
  const ColumnMask readers[] = {kTimestamps, kTimestamps, kLengths | kLines, kLines, kMetadata};
  for (size_t s = 0; s < sections; ++s) {
    const size_t entry = 40 + 24 * s;
    const auto offset = LoadFixed<uint32_t>(good.data() + entry + 4);
    const auto stored = LoadFixed<uint32_t>(good.data() + entry + 8);
    for (const size_t at : {offset, offset + stored - 1}) {  // both boundaries
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 0x10);
      for (const ColumnMask want : {kTimestamps, kLengths, kLines, kMetadata}) {
        LogColumns columns;
        const Status status = DecodeLogBlock(bad, want, &columns);
        EXPECT_EQ(status.ok(), (want & readers[s]) == 0) << names[s] << " read with mask " << want;
        if (status.ok()) continue;
        EXPECT_THAT(status.message(), HasSubstr(names[s]));
        EXPECT_THAT(status.message(), HasSubstr("offset " + std::to_string(offset)));
      }
    }
  }
}

// Repairs the header's checksum after a change to the header or a section entry.
void FixHeaderChecksum(std::string* bytes) {
  const size_t checked = 40 + 24 * static_cast<size_t>(static_cast<uint8_t>((*bytes)[6]));
  const uint64_t checksum = Checksum(std::string_view(*bytes).substr(0, checked));
  std::memcpy(bytes->data() + checked, &checksum, sizeof(checksum));
}

struct ForgedField {
  const char* name;
  size_t offset;
  size_t size;
  uint64_t value;
  const char* message;
};

class LogBlockForged : public testing::TestWithParam<ForgedField> {};

TEST_P(LogBlockForged, IsRefusedEvenWithARightChecksum) {
  std::string bytes = Encode({{1, {{1, "one", ""}, {2, "two", ""}}}});
  std::memcpy(bytes.data() + GetParam().offset, &GetParam().value, GetParam().size);
  FixHeaderChecksum(&bytes);
  const Status status = DecodeExactCopy(bytes);
  EXPECT_EQ(status.code(), Code::kCorruption);
  EXPECT_THAT(status.message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Fields, LogBlockForged,
    testing::Values(
        ForgedField{"version", 4, 1, 2, "version 2"}, ForgedField{"codec", 5, 1, 1, "codec 1"},
        ForgedField{"reserved", 7, 1, 1, "reserved"}, ForgedField{"rows", 8, 4, 3, "rows do not add up"},
        ForgedField{"all_rows", 8, 4, 0xFFFFFFFF, "limits"}, ForgedField{"streams", 12, 4, 2, "stream"},
        ForgedField{"line_bytes", 16, 4, 0xFFFFFFFF, "limits"},
        ForgedField{"line_bytes_off_by_one", 16, 4, 7, "LINES"},
        ForgedField{"total", 20, 4, 1 << 20, "header says"},
        ForgedField{"min_ts_above_max", 24, 8, 3, "limits"},
        ForgedField{"kind", 40, 1, 77, "unknown kind 77"}, ForgedField{"kind_twice", 40, 1, 2, "twice"},
        ForgedField{"compression", 41, 1, 9, "compression 9"},
        ForgedField{"column_compressed", 41, 1, 1, "compressed as a whole"},
        ForgedField{"offset", 44, 4, 0xFFFFFFF0, "inside"},
        ForgedField{"stored", 48, 4, 0xFFFFFFF0, "inside"},
        ForgedField{"lines_decoded", 40 + 24 * 3 + 12, 4, 0x0FFFFFFF, "differs from the header"}),
    [](const auto& param) { return param.param.name; });

TEST(LogBlock, SkipsASectionKindThatReadersMayDoWithout) {
  const std::vector<Stream> streams = {{1, {{1, "one", Metadata({{"a", "b"}})}}}};
  std::string bytes = Encode(streams);
  bytes[40 + 24 * 4] = static_cast<char>(200);  // METADATA becomes an unknown optional section
  FixHeaderChecksum(&bytes);
  LogColumns columns;
  ASSERT_TRUE(DecodeLogBlock(bytes, kAll, &columns).ok());
  EXPECT_EQ(columns.Line(0), "one");
  EXPECT_TRUE(columns.metadata_codes.empty());
}

TEST(LogBlock, VerifyFindsTimestampsThatContradictTheHeader) {
  std::string bytes = Encode({{1, {{1, "one", ""}, {2, "two", ""}}}});
  const int64_t max_ts = 1;
  std::memcpy(bytes.data() + 32, &max_ts, sizeof(max_ts));
  FixHeaderChecksum(&bytes);
  EXPECT_THAT(VerifyLogBlock(bytes).message(), HasSubstr("outside the header's span"));
}

}  // namespace
}  // namespace varve
