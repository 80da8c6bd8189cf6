#include "ingest/journal_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/decode_options.h"

namespace varve {
namespace {

using ::testing::HasSubstr;

std::string Record() {
  JournalRecordHeader header;
  header.form = WireForm::kLokiJson;
  header.outer = ContentEncoding::kGzip;
  header.inner = ContentEncoding::kIdentity;
  header.tenant = "acme";
  header.received_ns = -5;
  header.decoded_size_max = 300;
  header.options = "\x01";
  RejectList rejects;
  rejects.Add(0, 2);
  rejects.Add(5);
  std::string record;
  WriteJournalRecord(header, rejects, "the body", &record);
  return record;
}

TEST(JournalRecord, ReadsBackWhatWasWritten) {
  const std::string bytes = Record();
  const Result<JournalRecord> record = ParseJournalRecord(bytes);
  ASSERT_TRUE(record.ok()) << record.status().ToString();
  EXPECT_EQ(record->header.form, WireForm::kLokiJson);
  EXPECT_EQ(record->header.outer, ContentEncoding::kGzip);
  EXPECT_EQ(record->header.inner, ContentEncoding::kIdentity);
  EXPECT_EQ(record->header.tenant, "acme");
  EXPECT_EQ(record->header.received_ns, -5);
  EXPECT_EQ(record->header.decoded_size_max, 300u);
  EXPECT_EQ(record->header.options, "\x01");
  EXPECT_TRUE(record->rejects.ContainsAll(0, 2));
  EXPECT_FALSE(record->rejects.Contains(2));
  EXPECT_TRUE(record->rejects.Contains(5));
  EXPECT_EQ(record->body, "the body");
}

// docs/format.md, "Journal record": a change here is a change of the format.
TEST(JournalRecord, HasTheBytesOfItsFormat) {
  const std::string expected(
      "VJR1"                              // magic
      "\x01\x02\x02\x00"                  // version, JSON, gzip, nothing inside
      "\xfb\xff\xff\xff\xff\xff\xff\xff"  // -5 ns
      "\x04"
      "acme"
      "\xac\x02"
      "\x01\x01"              // tenant, 300, options of one byte
      "\x02\x00\x02\x03\x01"  // two runs: 2 from 0, 1 behind 3 more
      "the body",
      38);
  const std::string record = Record();
  EXPECT_EQ(record.substr(0, record.size() - 8), expected);
}

TEST(JournalRecord, NoticesEveryChangedByte) {
  const std::string good = Record();
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x20);
    EXPECT_EQ(ParseJournalRecord(bad).status().code(), Code::kCorruption) << i;
    EXPECT_EQ(ParseJournalRecord(good.substr(0, i)).status().code(), Code::kCorruption) << i;
  }
}

TEST(JournalRecord, NamesAnUnknownVersion) {
  std::string record = Record();
  record[4] = 9;
  EXPECT_THAT(ParseJournalRecord(record).status().message(), HasSubstr("version 9, known is 1"));
}

TEST(DecodeOptions, TakeOneByteByDefault) {
  EXPECT_EQ(DecodeOptions(IngestLimits{}).encoded(), "\x01");
  IngestLimits limits;
  limits.discover_log_levels = false;
  EXPECT_EQ(DecodeOptions(limits).encoded(), std::string(1, '\0'));
}

TEST(DecodeOptions, SurviveTheJournal) {
  IngestLimits limits;
  limits.discover_service_name = {"svc"};
  limits.log_level_fields = {"prio", ""};
  limits.log_level_from_json_max_depth = 7;
  limits.max_line_size_truncate = true;
  limits.max_line_size = 1000;
  const DecodeOptions options(limits);
  ByteReader reader(options.encoded());
  const Result<DecodeOptions> back = DecodeOptions::FromEncoded(&reader);
  ASSERT_TRUE(back.ok());
  EXPECT_TRUE(reader.AtEnd());
  EXPECT_EQ(back->encoded(), options.encoded());
  EXPECT_EQ(back->service_names(), limits.discover_service_name);
  EXPECT_EQ(back->truncate_line_bytes(), 1000u);
  EXPECT_TRUE(back->add_detected_level());
  EXPECT_EQ(back->level_detector().FromLine("prio=wrn"), Level::kWarn);
}

TEST(DecodeOptions, RefuseWhatIsNone) {
  for (const std::string& bad :
       {std::string(), std::string("\x20"), std::string("\x02"), std::string("\x02\x05\x01x"),
        std::string("\x02\xff\xff\xff\xff\x0f"), std::string("\x08\xff\xff\xff\xff\xff\x0f")}) {
    ByteReader reader(bad);
    EXPECT_EQ(DecodeOptions::FromEncoded(&reader).status().code(), Code::kCorruption);
  }
}

TEST(RejectList, KeepsRuns) {
  RejectList list;
  list.Add(3);
  list.Add(4, 2);
  list.Add(10, 0);
  list.Add(8);
  EXPECT_FALSE(list.Contains(2));
  EXPECT_TRUE(list.Contains(3));
  EXPECT_TRUE(list.Contains(5));
  EXPECT_FALSE(list.Contains(6));
  EXPECT_TRUE(list.Contains(8));
  EXPECT_FALSE(list.Contains(9));
  EXPECT_TRUE(list.ContainsAll(3, 3));
  EXPECT_FALSE(list.ContainsAll(3, 4));
  EXPECT_TRUE(list.ContainsAll(7, 0));
  list.DropFrom(5);
  EXPECT_TRUE(list.Contains(4));
  EXPECT_FALSE(list.Contains(5));
  EXPECT_FALSE(list.Contains(8));
  std::string bytes;
  list.Encode(&bytes);
  EXPECT_EQ(bytes, "\x01\x03\x02");
  RejectList back;
  ByteReader reader(bytes);
  EXPECT_TRUE(back.Decode(&reader));
  EXPECT_EQ(back, list);
}

TEST(RejectList, RefusesRunsThatAreNone) {
  for (const std::string& bad :
       {std::string(), std::string("\x02\x01\x01", 3), std::string("\x01\x01\x00", 3),
        std::string("\x02\x01\x01\x00\x01", 5), std::string("\x01\xff\xff\xff\xff\x0f\x01", 7)}) {
    RejectList list;
    ByteReader reader(bad);
    EXPECT_FALSE(list.Decode(&reader));
  }
}

}  // namespace
}  // namespace varve
