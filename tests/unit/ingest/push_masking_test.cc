#include "ingest/push_masking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lz4.h>

#include "ingest/journal_record.h"
#include "ingest/write_path.h"
#include "tests/support/push_bodies.h"
#include "tests/support/recording_engine.h"
#include "tests/support/replay_sinks.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::JsonBody;
using testing::ProtobufBody;
using testing::RecordingEngine;
using testing::Snappy;

std::shared_ptr<const LineMask> Mask(std::vector<MaskRule> rules) {
  auto mask = LineMask::Compile(std::move(rules));
  EXPECT_TRUE(mask.ok()) << mask.status().ToString();
  return *mask;
}

IngestLimits Masking() {
  IngestLimits limits;
  limits.mask = Mask({{"(password|token)=\\S+", "$1=****"}, {"hunter\\d+", "[pw]"}});
  return limits;
}

PushRequest Request(std::string_view type, std::string_view body) {
  PushRequest request;
  request.content_type = type;
  request.body = body;
  return request;
}

std::string Replayed(const RecordingEngine& engine, const IngestLimits& limits) {
  RecordingEngine second;
  WritePath replaying(&second, limits);
  const ReplayFn replay = replaying.MakeReplay();
  std::string replayed;
  for (const std::string& record : engine.journal_records()) {
    LogReplaySink sink([&](const AppendBatch& batch) { replayed += second.Describe(batch); });
    const Status status = replay(record, &sink);
    EXPECT_TRUE(status.ok()) << status.ToString();
  }
  return replayed;
}

// The body in the journal, decompressed.
std::string JournalledBody(const std::string& bytes) {
  const auto record = ParseJournalRecord(bytes);
  EXPECT_TRUE(record.ok());
  std::string body(record->header.decoded_size_max, '\0');
  const size_t skip = record->body.size() > 1 && (record->body[0] & 0x80) != 0 ? 2 : 1;
  const int size = LZ4_decompress_safe(record->body.data() + skip, body.data(), static_cast<int>(record->body.size() - skip),
                                       static_cast<int>(body.size()));
  EXPECT_EQ(size, static_cast<int>(body.size()));
  return body;
}

struct Way {
  const char* name;
  const char* type;
  std::string body;
  bool otlp = false;
  bool legacy = false;
};

const Way kWays[] = {
    {"Json", "application/json",
     R"({"streams":[{"stream":{"app":"x","c":""},"values":[["5","login password=hunter2 ok"],)"
     R"(["7","plain",{"q":"a token=hunter3","z":"1"}]]},{"stream":{"level":"warn"},"values":[["6","h\u0075nter4"]]}],)"
     R"("unknown":"hunter5"})"},
    {"Protobuf", "application/x-protobuf",
     Snappy(ProtobufBody({{{{"app", "x"}}, {{5, "login password=hunter2 ok", {}}, {-9, "x", {{"q", "hunter3"}}}}},
                          {{{"app", "y"}}, {{6, "an error token=hunter4", {}}}}}))},
    {"Legacy", "application/json",
     R"({"streams":[{"labels":"{app=\"x\"}","entries":[{"ts":"2023-11-14T22:13:20Z","line":"token=hunter2"}]}]})", false,
     true},
    {"Otlp", "application/json",
     R"({"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}},)"
     R"({"key":"dsn","value":{"stringValue":"password=hunter2"}}]},"scopeLogs":[{"logRecords":[)"
     R"({"timeUnixNano":"5","severityText":"Error","body":{"stringValue":"my hunter3"}},)"
     R"({"body":{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"hunter4"}}]}}}]}]}]})",
     true},
};

class EveryWayIn : public ::testing::TestWithParam<Way> {};

TEST_P(EveryWayIn, IsMaskedInTheStoreAndInTheJournal) {
  RecordingEngine engine;
  WritePath path(&engine, Masking());
  PushRequest request = Request(GetParam().type, GetParam().body);
  request.otlp = GetParam().otlp;
  request.legacy_json = GetParam().legacy;
  const PushOutcome outcome = path.Push(request);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.ToString();
  EXPECT_THAT(engine.appended(), Not(HasSubstr("hunter")));
  ASSERT_EQ(engine.journal_records().size(), 1u);
  EXPECT_THAT(JournalledBody(engine.journal_records()[0]), Not(HasSubstr("hunter")));
  EXPECT_GT(path.Stats().masked.replacements, 0u);
  // Replay is the same without masks, and with others.
  EXPECT_EQ(engine.appended(), Replayed(engine, {}));
  IngestLimits others;
  others.mask = Mask({{".+", "gone"}});
  EXPECT_EQ(engine.appended(), Replayed(engine, others));
  EXPECT_EQ(engine.ingest_budget()->used_bytes(), 0);
}

INSTANTIATE_TEST_SUITE_P(PushMasking, EveryWayIn, ::testing::ValuesIn(kWays),
                         [](const auto& param) { return param.param.name; });

TEST(PushMasking, ShowsWhatTheRulesLeave) {
  RecordingEngine engine;
  WritePath path(&engine, Masking());
  EXPECT_TRUE(path.Push(Request("application/json", kWays[0].body)).status.ok());
  EXPECT_EQ(engine.appended(),
            "{app=\"x\", service_name=\"x\"} 5 \"login password=**** ok\" detected_level=unknown\n"
            "{app=\"x\", service_name=\"x\"} 7 \"plain\" detected_level=unknown q=a token=**** z=1\n"
            "{level=\"warn\", service_name=\"unknown_service\"} 6 \"[pw]\" detected_level=warn\n");
  EXPECT_EQ(path.Stats().masked.entries, 2u);
  EXPECT_EQ(path.Stats().masked.values, 1u);
  EXPECT_EQ(path.Stats().masked.replacements, 3u);
}

TEST(PushMasking, JournalsNothingElseOfTheRequestEvenWhereNoLineChanges) {
  RecordingEngine engine;
  WritePath path(&engine, Masking());
  const std::string body =
      R"({"streams":[{"stream":{"app":"x"},"values":[["5","plain"]]}],"unknown":"hunter5"})";
  EXPECT_TRUE(path.Push(Request("application/json", body)).status.ok());
  EXPECT_THAT(JournalledBody(engine.journal_records()[0]), Not(HasSubstr("hunter")));
  EXPECT_EQ(path.Stats().masked.replacements, 0u);
  EXPECT_EQ(engine.appended(), Replayed(engine, {}));
}

TEST(PushMasking, NumbersRefusedEntriesAsTheyCame) {
  IngestLimits limits = Masking();
  limits.max_line_size = 20;
  RecordingEngine engine;
  WritePath path(&engine, limits);
  const std::string body =
      JsonBody({{{{"app", "x"}},
                 {{1, "token=a-very-long-secret-that-fits-once-masked", {}},
                  {2, "a line that is too long for the limit", {}},
                  {3, "fits", {}}}}});
  EXPECT_EQ(path.Push(Request("application/json", body)).entries_stored, 2u);
  EXPECT_THAT(engine.appended(), HasSubstr("1 \"token=****\""));
  EXPECT_EQ(engine.appended(), Replayed(engine, {}));
}

TEST(PushMasking, HidesBytesThatAreNotUtf8Too) {
  RecordingEngine engine;
  WritePath path(&engine, Masking());
  const std::string body = Snappy(ProtobufBody({{{{"app", "x"}}, {{1, "token=ab\xff" "cd \xfe", {}}}}}));
  EXPECT_TRUE(path.Push(Request("application/x-protobuf", body)).status.ok());
  EXPECT_THAT(engine.appended(), HasSubstr("1 \"token=**** \xEF\xBF\xBD\""));
}

TEST(PushMasking, RefusesAPushThatMasksBlowUp) {
  IngestLimits limits;
  limits.max_decompressed_size = 10'000;
  limits.mask = Mask({{"a", std::string(1000, 'b')}});
  RecordingEngine engine;
  WritePath path(&engine, limits);
  const std::string body = JsonBody({{{{"app", "x"}}, {{1, std::string(11, 'a'), {}}}}});
  EXPECT_EQ(path.Push(Request("application/json", body)).status.code(), Code::kTooLarge);
  EXPECT_EQ(engine.journal_records().size(), 0u);
  EXPECT_EQ(engine.ingest_budget()->used_bytes(), 0);
}

TEST(PushMasking, IsEachTenantsOwn) {
  RecordingEngine engine;
  PerTenant<IngestLimits> table{IngestLimits()};
  WritePath path(&engine, table);
  PerTenant<IngestLimits>::Overrides overrides;
  overrides["a"] = std::make_shared<const IngestLimits>(Masking());
  table.Replace(IngestLimits(), overrides);
  for (const char* tenant : {"a", "b"}) {
    PushRequest request = Request("application/json", kWays[2].body);
    request.tenant = tenant;
    request.legacy_json = true;
    EXPECT_TRUE(path.Push(request).status.ok());
  }
  EXPECT_THAT(engine.appended(), HasSubstr("token=****"));
  EXPECT_THAT(engine.appended(), HasSubstr("token=hunter2"));
}

}  // namespace
}  // namespace varve
